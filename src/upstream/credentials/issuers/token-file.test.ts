import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createCredential } from "../create-credential.ts";
import type { CredentialSource } from "../credential.ts";
import {
  credentialWorld,
  type CredentialWorld,
  headersOf,
  nextAttempt,
  refusalOf,
} from "../testing/outage-scenario.ts";
import { jwtExpiryMs } from "./token-file.ts";

let world: CredentialWorld;
let directory: string;
let path: string;
let credential: CredentialSource;

beforeEach(async () => {
  world = credentialWorld();
  directory = await mkdtemp(join(tmpdir(), "weir-token-"));
  path = join(directory, "token");
  credential = createCredential({ kind: "token_file", path, header: null }, world.context);
});

afterEach(async () => {
  await credential.stop();
  await rm(directory, { recursive: true });
});

function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString("base64url");
  return `${part({ alg: "none" })}.${part(claims)}.signature`;
}

describe("a token in a file", () => {
  it("is read again, so that a new one is used within seconds", async () => {
    await writeFile(path, "first\n");
    await credential.start();
    expect(await headersOf(credential)).toEqual({ authorization: "Bearer first" });

    await writeFile(path, "second\n");
    await nextAttempt(credential, world.time);

    expect(await headersOf(credential)).toEqual({ authorization: "Bearer second" });
    expect(world.time.clock.nowMs() - (credential.status().obtainedAtMs ?? 0)).toBeLessThanOrEqual(10_000);
  });

  it("stays in use when the file disappears, with the reason in the status", async () => {
    await writeFile(path, "first");
    await credential.start();

    await rm(path);
    await nextAttempt(credential, world.time);

    expect(await headersOf(credential)).toEqual({ authorization: "Bearer first" });
    expect(credential.status()).toMatchObject({ state: "stale" });
    expect(credential.status().failure?.reason).toContain("ENOENT");
  });

  it("that is a JWT ends when it says so", async () => {
    const endSeconds = Math.round(world.time.clock.nowMs() / 1_000) + 60;
    await writeFile(path, jwt({ exp: endSeconds }));
    await credential.start();
    expect(credential.status().expiresAtMs).toBe(endSeconds * 1_000);

    for (let i = 0; i < 7; i += 1) await nextAttempt(credential, world.time);

    expect((await refusalOf(credential)).message).toContain("has already expired");
  });

  it("may travel in a header of its own", async () => {
    await writeFile(path, "first");
    credential = createCredential({ kind: "token_file", path, header: "x-api-key" }, world.context);

    await credential.start();

    expect(await headersOf(credential)).toEqual({ "x-api-key": "first" });
  });
});

describe("the end of a JWT", () => {
  it.each([
    ["an opaque token", "abc", null],
    ["a token with dots that is no JWT", "a.b.c", null],
    ["a JWT without an end", jwt({ sub: "x" }), null],
    ["a JWT with an end", jwt({ exp: 1_800_000_000 }), 1_800_000_000_000],
  ])("of %s", (_name, token, expected) => {
    expect(jwtExpiryMs(token)).toBe(expected);
  });
});
