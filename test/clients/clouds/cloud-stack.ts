import { expect } from "vitest";

import type { WireName } from "../../../src/wire/codec.ts";
import { TEST_ANTHROPIC_KEY } from "../../harness/clouds/anthropic-cloud.ts";
import { TEST_AWS_KEYS } from "../../harness/clouds/aws-auth.ts";
import { TEST_AZURE_KEY } from "../../harness/clouds/azure-auth.ts";
import type { CloudRequest } from "../../harness/clouds/cloud-request.ts";
import { CLOUD_MODEL, CLOUDS, weirConfig, type CloudKind, type RunningCloud } from "../../harness/clouds/clouds.ts";
import { TEST_CUSTOM_TOKEN } from "../../harness/clouds/custom-cloud.ts";
import { TEST_EMBEDDING_MODEL, TEST_OPENAI_KEY } from "../../harness/clouds/openai/openai-cloud.ts";
import { WeirProcess } from "../../harness/weir-process.ts";
import { ExpectedLedger } from "./expected-ledger.ts";
import { RecordedFetch } from "./recorded-fetch.ts";

/** What no client may ever see: credentials of upstreams, by their telling part. */
const UPSTREAM_SECRETS = [
  TEST_ANTHROPIC_KEY,
  TEST_AWS_KEYS.accessKeyId,
  TEST_AWS_KEYS.secretAccessKey,
  TEST_AZURE_KEY,
  TEST_CUSTOM_TOKEN,
  TEST_OPENAI_KEY,
  "ya29.metadata-",
  "eyJ.entra.",
];

/** Failures that a test orders must neither make Weir avoid an upstream nor try it again. */
const PATIENT = {
  retries: { max_attempts: 1 },
  health: {
    min_volume: 100_000,
    consecutive: { transient: 1000, connect: 1000, timeout: 1000, hard: 1000, probe: 1000 },
    cooldown: { max_ms: 1, unnamed_ms: 1 },
    probes: { enabled: false },
  },
};

/** One cell of the table: what is asked, in which format, of which kind of upstream. */
export interface Cell {
  readonly name: string;
  readonly kind: CloudKind;
  readonly format: WireName;
}

export interface CloudStackOptions {
  /** Bytes a write of the clouds' answers; null (the default) for whole writes. */
  readonly sliceBytes?: number | null;
}

/** One Weir with several kinds of upstream behind it; the model's name picks the upstream. */
export class CloudStack {
  readonly weir: WeirProcess;
  /** What the SDKs call with. */
  readonly wire = new RecordedFetch();
  readonly #running: ReadonlyMap<string, RunningCloud>;
  readonly #ledger = new ExpectedLedger();
  readonly #sliceBytes: number | null;

  private constructor(weir: WeirProcess, running: ReadonlyMap<string, RunningCloud>, sliceBytes: number | null) {
    this.weir = weir;
    this.#running = running;
    this.#sliceBytes = sliceBytes;
  }

  /** Starts stand-ins of these kinds and a Weir in front of them. Call `dispose` when done. */
  static async start(
    kinds: readonly CloudKind[] = CLOUDS,
    { sliceBytes = null }: CloudStackOptions = {},
  ): Promise<CloudStack> {
    const running = new Map(await Promise.all(kinds.map(async (kind) => [kind.kind, await kind.start()] as const)));
    const parts = kinds.map((kind) => ({ kind, part: kind.configYaml(runningOf(running, kind)) }));
    const { config, env } = weirConfig(parts.map(({ part }) => part));
    const models = parts.flatMap(({ kind, part }) => [
      { id: modelAt(kind), upstream_model: { [kind.kind]: part.models[CLOUD_MODEL] ?? usualId(kind) } },
      ...(kind.speaksMessages
        ? []
        : [{ id: embeddingsAt(kind), upstream_model: { [kind.kind]: TEST_EMBEDDING_MODEL } }]),
    ]);
    const weir = await WeirProcess.start({ config: { ...config, ...PATIENT, models }, env });
    for (const { server } of running.values()) server.forbid(weir.key);
    return new CloudStack(weir, running, sliceBytes);
  }

  cloud(kind: CloudKind): RunningCloud["server"] {
    return runningOf(this.#running, kind).server;
  }

  /** The last request that a cloud got. */
  sent(kind: CloudKind): CloudRequest {
    const request = this.cloud(kind).requests.at(-1);
    if (request === undefined) throw new Error(`nothing came to ${kind.kind}`);
    return request;
  }

  /** The last request's body. */
  sentBody(kind: CloudKind): Readonly<Record<string, unknown>> {
    return JSON.parse(this.sent(kind).body.toString("utf8")) as Record<string, unknown>; // the stand-in took it for an object
  }

  /** The warnings of the last answer, each naming a field. */
  get warnings(): string {
    return this.wire.last.headers.get("x-weir-warning") ?? "";
  }

  /**
   * Runs what a client does in one cell, then checks what both sides saw: that the cloud found no fault and billed `charges`
   * times, that answers name the upstream, and that no credential is on the wrong side. What the ledger must hold is noted
   * for `checkLedger`.
   */
  async run(cell: Cell, work: () => Promise<void>, { charges = 1 }: { readonly charges?: number } = {}): Promise<void> {
    const server = this.cloud(cell.kind);
    server.reset();
    server.sliceBytes = this.#sliceBytes;
    this.wire.clear();
    await work();
    expect(server.problems).toEqual([]);
    expect(server.charges.map(({ outcome }) => outcome)).toEqual(Array(charges).fill("whole"));
    await this.#checkSecrets();
    for (const { status, headers } of this.wire.answers) {
      // A count that no upstream can give is Weir's own estimate.
      const isWeirs = headers.get("x-weir-warning")?.includes("is an estimate by Weir") === true;
      if (status < 400 && !isWeirs) expect(headers.get("x-weir-upstream")).toBe(cell.kind.kind);
    }
    this.#ledger.note(cell, this.wire.answers, server.charges);
  }

  /** Compares the ledger with everything that was noted: one entry for each exchange, no more, with what was billed. */
  async checkLedger(): Promise<void> {
    await this.#ledger.check(this.weir);
  }

  async dispose(): Promise<void> {
    await this.weir.dispose();
    await Promise.all([...this.#running.values()].map((cloud) => cloud.stop()));
  }

  async #checkSecrets(): Promise<void> {
    for (const { headers, body } of this.wire.answers) {
      const text = `${JSON.stringify([...headers])}\n${await body}`;
      expect([...UPSTREAM_SECRETS, this.weir.key].filter((secret) => text.includes(secret))).toEqual([]);
    }
  }
}

/** The model that only this kind of upstream serves. */
export function modelAt({ kind }: CloudKind): string {
  return `at-${kind}`;
}

/** The embeddings model that only this kind of upstream serves. */
export function embeddingsAt({ kind }: CloudKind): string {
  return `embeddings-at-${kind}`;
}

/** What clouds with names of their own call the model. */
function usualId({ provider }: CloudKind): string {
  return provider === "bedrock" ? `eu.anthropic.${CLOUD_MODEL}-v1:0` : CLOUD_MODEL;
}

function runningOf(running: ReadonlyMap<string, RunningCloud>, { kind }: CloudKind): RunningCloud {
  const cloud = running.get(kind);
  if (cloud === undefined) throw new Error(`no ${kind} runs`);
  return cloud;
}
