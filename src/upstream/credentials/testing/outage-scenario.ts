import { expect, vi } from "vitest";

import { WeirError } from "../../../core/weir-error.ts";
import type { CredentialContext } from "../create-credential.ts";
import type { CredentialSource, SignableRequest } from "../credential.ts";
import type { FakeEndpoint } from "./fake-endpoint.ts";
import { ManualTime } from "./manual-scheduler.ts";
import { RecordingLogger } from "./recording-logger.ts";

/** A text that endpoints put where it must not come out again. */
const CANARY = "canary-Jt8wQ2pZ";

export const REQUEST: SignableRequest = {
  method: "POST",
  host: "bedrock-runtime.us-east-1.amazonaws.com",
  path: "/model/us.anthropic.claude-opus-4-8-v1:0/invoke",
  headers: ["content-type", "application/json"],
  body: Buffer.from('{"max_tokens":1}'),
};

export interface CredentialWorld {
  readonly time: ManualTime;
  readonly logger: RecordingLogger;
  readonly context: CredentialContext;
}

/** What credentials are made with in tests: time by hand, beginning now, as the libraries look at the real clock. */
export function credentialWorld(ca: string | null = null): CredentialWorld {
  const time = new ManualTime(Date.now());
  const logger = new RecordingLogger();
  const context: CredentialContext = {
    upstream: "cloud",
    network: { proxy: { httpProxy: null, httpsProxy: null, noProxy: [] }, ca },
    clock: time.clock,
    scheduler: time,
    logger,
    random: () => 0.5,
  };
  return { time, logger, context };
}

/** The headers as an object, for looking at. */
export async function headersOf(
  credential: CredentialSource,
  request: SignableRequest = REQUEST,
): Promise<Record<string, string>> {
  const flat = await credential.headers(request);
  return Object.fromEntries(
    Array.from({ length: flat.length / 2 }, (_, i) => [flat[2 * i] ?? "", flat[2 * i + 1] ?? ""]),
  );
}

/** Moves time to the next attempt and waits, in real time, until it is over. */
export async function nextAttempt(credential: CredentialSource, time: ManualTime): Promise<void> {
  const { nextAttemptAtMs } = credential.status();
  if (nextAttemptAtMs === null) throw new Error("no attempt is due");
  await time.advance(Math.max(0, nextAttemptAtMs - time.clock.nowMs()));
  await vi.waitFor(() => expect(credential.status().nextAttemptAtMs).not.toBeNull(), { timeout: 20_000, interval: 5 });
}

/** Waits, in real time, for the first attempt to be over. */
export async function started(credential: CredentialSource): Promise<void> {
  await credential.start();
  expect(credential.status()).toMatchObject({ state: "ready", failure: null });
}

/**
 * The life that every credential with an end must have: renewed ahead of its end, unharmed by an endpoint that is down,
 * precise once it has ended, well again with the endpoint. `seen` says which value a request would carry.
 */
export async function livesThroughAnOutage(options: {
  readonly credential: CredentialSource;
  readonly endpoint: FakeEndpoint;
  readonly world: CredentialWorld;
  readonly seen: () => Promise<string>;
}): Promise<void> {
  const { credential, endpoint, world, seen } = options;
  const { time, logger } = world;
  await started(credential);
  const first = await seen();
  const firstEndMs = credential.status().expiresAtMs ?? 0;

  await nextAttempt(credential, time);
  const second = await seen();
  expect(second, "renewed").not.toBe(first);
  expect(time.clock.nowMs(), "ahead of the end").toBeLessThan(firstEndMs);

  endpoint.outage = `{"error":"unavailable","error_description":"echo ${CANARY}"}`;
  await nextAttempt(credential, time);
  expect(credential.status().state).toBe("stale");
  expect(await seen(), "in use while the endpoint is down").toBe(second);

  time.clock.advance((credential.status().expiresAtMs ?? 0) - time.clock.nowMs() + 1);
  const error = await refusalOf(credential);
  expect(error.code).toBe("weir:upstream:credential");
  expect(error.message).toMatch(/ expired at \d{4}-.* since \d{4}-/);
  // The attempt that the request woke.
  await vi.waitFor(() => expect(credential.status().nextAttemptAtMs).not.toBeNull(), { timeout: 20_000, interval: 5 });

  endpoint.outage = null;
  await nextAttempt(credential, time);
  expect(credential.status()).toMatchObject({ state: "ready", failure: null });
  const third = await seen();
  expect(third, "new after the outage").not.toBe(second);
  expect(error.message).not.toContain(CANARY);
  for (const secret of [first, second, third])
    expect(logger.text.includes(secret), `the log holds ${secret.slice(0, 8)}…`).toBe(false);
}

/** The error that a request meets. */
export async function refusalOf(credential: CredentialSource): Promise<WeirError> {
  try {
    await credential.headers(REQUEST);
  } catch (error) {
    if (error instanceof WeirError) return error;
    throw error;
  }
  throw new Error("the credential gave headers");
}
