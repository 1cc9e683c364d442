import { generateKeyPairSync } from "node:crypto";

import type { AuditAct } from "../../../core/audit-act.ts";
import type { AuditRow, AuditStatement, AuditStore, ChainId } from "../../../store/ports/audit.ts";
import { draftRow, extendChain, GENESIS_HASH } from "../audit-chain.ts";
import { StatementSigner } from "../statement-signer.ts";

export const CHAIN: ChainId = { organizationId: "org_1", retentionClass: "audit" };
export const AT_MS = Date.UTC(2026, 10, 20, 12);

export function newSigner(): StatementSigner {
  return new StatementSigner(generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }));
}

export function sampleAct(given: Partial<AuditAct> = {}): AuditAct {
  return {
    organizationId: CHAIN.organizationId,
    actor: "cli:ada",
    action: "key.create",
    object: "key:key_1",
    before: null,
    after: { name: "laptop", scopes: { models: ["a", "b"] } },
    address: "192.0.2.7",
    requestId: "req_1",
    result: "done",
    reason: "because",
    ...given,
  };
}

/** A chain of as many rows, a second apart. */
export function sampleRows(count: number, given: (index: number) => Partial<AuditAct> = () => ({})): AuditRow[] {
  const drafts = Array.from({ length: count }, (_, index) => draftRow(sampleAct(given(index)), AT_MS + index * 1000));
  return extendChain({ ...CHAIN, seq: 0, hash: GENESIS_HASH }, drafts);
}

export function headOf(signer: StatementSigner, row: AuditRow): AuditStatement {
  return signer.head({ ...CHAIN, seq: row.seq, hash: row.hash }, row.atMs + 1);
}

/** Puts rows into a store as they are. */
export async function fill(store: AuditStore, rows: readonly AuditRow[], chain: ChainId = CHAIN): Promise<void> {
  await store.append(chain, () => rows);
}
