import { generateKeyPairSync, randomBytes } from "node:crypto";
import { link, mkdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import path from "node:path";

import { z } from "zod";

import type { Config } from "../config/schema.ts";
import { StatementSigner } from "../ledger/audit/statement-signer.ts";
import type { AuditStatement, ChainId } from "../store/ports/audit.ts";

/** Name of the file below the data directory that holds a generated signing key. */
export const AUDIT_KEY_FILE = "audit-signing-key.pem";
/** Directory below the data directory that holds the last signed head of every chain. */
const HEADS_DIRECTORY = "audit-heads";

/** The signer with the configured key, else with one that is made once and kept, readable by its owner only. */
export async function auditSigner(config: Config): Promise<StatementSigner> {
  const configured = config.audit.signing_key;
  if (configured !== undefined) return new StatementSigner(configured);
  const file = path.join(config.data_dir, AUDIT_KEY_FILE);
  const pem = (await readOrNull(file)) ?? (await makeKey(file));
  try {
    return new StatementSigner(pem);
  } catch (error) {
    const remedy = "Restore it from a backup, or remove it: then the next start makes a new one, and old heads need";
    throw new Error(`${file} is damaged. ${remedy} the old public key under audit.trusted_public_keys.`, {
      cause: error,
    });
  }
}

async function makeKey(file: string): Promise<string> {
  await mkdir(path.dirname(file), { recursive: true, mode: 0o700 });
  const pem = generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" });
  const draft = draftOf(file);
  await writeFile(draft, pem, { mode: 0o600, flag: "wx", flush: true });
  try {
    await link(draft, file);
    return pem;
  } catch (error) {
    // Of two processes that begin at once, one makes it and the other reads it.
    const others = await readOrNull(file);
    if (others === null) throw error;
    return others;
  } finally {
    await rm(draft);
  }
}

const keptHead = z.object({
  kind: z.literal("head"),
  organizationId: z.string(),
  retentionClass: z.enum(["audit", "security"]),
  seq: z.int(),
  hash: z.string(),
  atMs: z.int(),
  removed: z.null(),
  keyId: z.string(),
  signature: z.string(),
});

/** The last signed head of every chain, kept in the data directory: whoever changes the database does not change these. */
export class KeptHeads {
  readonly #directory: string;

  constructor(dataDir: string) {
    this.#directory = path.join(dataDir, HEADS_DIRECTORY);
  }

  /** Null where none was kept on this machine. Throws when a kept one cannot be read. */
  async read(chain: ChainId): Promise<AuditStatement | null> {
    const file = this.#file(chain);
    const text = await readOrNull(file);
    if (text === null) return null;
    try {
      return keptHead.parse(JSON.parse(text));
    } catch (error) {
      throw new Error(`${file} is damaged: it is not a signed head. Restore it, or remove it knowingly.`, {
        cause: error,
      });
    }
  }

  /** Keeps a head in place of an earlier one. */
  async keep(head: AuditStatement): Promise<void> {
    const kept = await this.read(head);
    if (kept !== null && kept.seq >= head.seq) return;
    await mkdir(this.#directory, { recursive: true, mode: 0o700 });
    const file = this.#file(head);
    const draft = draftOf(file);
    await writeFile(draft, `${JSON.stringify(head)}\n`, { mode: 0o600, flag: "wx", flush: true });
    await rename(draft, file);
  }

  #file({ organizationId, retentionClass }: ChainId): string {
    return path.join(this.#directory, `${encodeURIComponent(organizationId)}.${retentionClass}.json`);
  }
}

function draftOf(file: string): string {
  return `${file}.${randomBytes(4).toString("hex")}`;
}

async function readOrNull(file: string): Promise<string | null> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
}
