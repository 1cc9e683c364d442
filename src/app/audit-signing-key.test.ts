import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { beforeEach, describe, expect, it } from "vitest";

import { loadConfig } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { StatementSigner, TrustedKeys } from "../ledger/audit/statement-signer.ts";
import { AUDIT_KEY_FILE, auditSigner, KeptHeads } from "./audit-signing-key.ts";

const CHAIN = { organizationId: "org_1", retentionClass: "audit" } as const;

let directory: string;

beforeEach(async () => {
  directory = await mkdtemp(path.join(tmpdir(), "weir-audit-key-"));
  return () => rm(directory, { recursive: true, force: true });
});

async function config(audit: Record<string, unknown> = {}): Promise<Config> {
  const loaded = await loadConfig({ cwd: directory, env: {}, overrides: { data_dir: directory, audit } });
  if (!loaded.ok) throw new Error(loaded.diagnostics.map(({ message }) => message).join("\n"));
  return loaded.config;
}

function newPem(): string {
  return generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
}

describe("auditSigner", () => {
  it("makes a key once, readable by its owner alone, whoever comes first", async () => {
    const made = await Promise.all([auditSigner(await config()), auditSigner(await config())]);
    const again = await auditSigner(await config());
    expect(new Set([...made, again].map(({ keyId }) => keyId)).size).toBe(1);
    expect((await stat(path.join(directory, AUDIT_KEY_FILE))).mode & 0o777).toBe(0o600);
    expect(await readdir(directory)).toEqual([AUDIT_KEY_FILE]);
  });

  it("takes the configured key, and then makes none", async () => {
    const pem = newPem();
    const signer = await auditSigner(await config({ signing_key: pem }));
    expect(signer.keyId).toBe(new StatementSigner(pem).keyId);
    expect(await readdir(directory)).toEqual([]);
  });

  it("does not take a damaged key for none", async () => {
    await writeFile(path.join(directory, AUDIT_KEY_FILE), "half a key");
    await expect(auditSigner(await config())).rejects.toThrow("is damaged");
  });
});

describe("the configuration", () => {
  it.each(["no key", generateKeyPairSync("x25519").privateKey.export({ type: "pkcs8", format: "pem" })])(
    "refuses what is no Ed25519 key, without showing it",
    async (pem) => {
      const refused = config({ signing_key: pem });
      await expect(refused).rejects.toThrow(/is not a PEM private key|is a key of type x25519/);
      await expect(refused).rejects.not.toThrow("BEGIN");
    },
  );
});

describe("KeptHeads", () => {
  it("keeps the latest head of each chain, whoever comes late", async () => {
    const signer = new StatementSigner(newPem());
    const kept = new KeptHeads(directory);
    const head = (seq: number) => signer.head({ ...CHAIN, seq, hash: "ab".repeat(32) }, 1);
    expect(await kept.read(CHAIN)).toBeNull();
    for (const seq of [1, 3, 2]) await kept.keep(head(seq));

    const read = await kept.read(CHAIN);
    expect(read).toEqual(head(3));
    expect(read === null ? "none" : new TrustedKeys([signer.publicKey]).faultOf(read)).toBeNull();
    expect(await kept.read({ ...CHAIN, retentionClass: "security" })).toBeNull();
  });

  it("does not take a damaged head for none", async () => {
    const kept = new KeptHeads(directory);
    await kept.keep(new StatementSigner(newPem()).head({ ...CHAIN, seq: 1, hash: "ab" }, 1));
    const file = path.join(directory, "audit-heads", "org_1.audit.json");
    await writeFile(file, (await readFile(file, "utf8")).slice(0, 20));
    await expect(kept.read(CHAIN)).rejects.toThrow("is damaged");
  });
});
