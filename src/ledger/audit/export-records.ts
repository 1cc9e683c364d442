import type { Clock } from "../../core/clock.ts";
import type { AuditRow, AuditStatement, AuditStore, ChainState } from "../../store/ports/audit.ts";
import { GENESIS_HASH } from "./audit-chain.ts";
import type { StatementSigner } from "./statement-signer.ts";

const PAGE_ROWS = 2_000;
const MOST_HEADS = 100_000;

/** A line of an export. */
export type ExportRecord =
  | { readonly type: "row"; readonly row: AuditRow }
  | { readonly type: "statement"; readonly statement: AuditStatement };

export interface ExportParts {
  readonly store: AuditStore;
  readonly signer: StatementSigner;
  readonly clock: Clock;
}

/**
 * A chain's rows written in [fromMs, toMs), in pages: a signed start, the rows with the heads about them, a signed end. Such
 * a file can be verified with nothing but the public key.
 */
export async function* exportChain(
  { store, signer, clock }: ExportParts,
  state: ChainState,
  { fromMs, toMs }: { fromMs: number; toMs: number },
): AsyncGenerator<readonly ExportRecord[]> {
  const checkpoint = await store.checkpoint(state);
  const firstSeq = (await store.firstSeqSince(state, fromMs)) ?? state.seq + 1;
  const endSeq = toMs === Infinity ? null : await store.firstSeqSince(state, toMs);
  const throughSeq = Math.min(state.seq, (endSeq ?? Infinity) - 1);
  const chain = { organizationId: state.organizationId, retentionClass: state.retentionClass };
  let last = await tipBefore(store, chain, { firstSeq, checkpoint });
  yield [statement(signer.start({ ...chain, ...last }, clock.nowMs()))];
  for (;;) {
    const rows = await store.rows(chain, { afterSeq: last.seq, throughSeq, limit: PAGE_ROWS });
    const lastRow = rows.at(-1);
    if (lastRow === undefined) break;
    const span = { afterSeq: last.seq, throughSeq: lastRow.seq, limit: MOST_HEADS };
    const heads = Map.groupBy(await store.heads(chain, span), ({ seq }) => seq);
    yield rows.flatMap((row) => [{ type: "row", row } as const, ...(heads.get(row.seq) ?? []).map(statement)]);
    last = { seq: lastRow.seq, hash: lastRow.hash };
  }
  yield [statement(signer.end({ ...chain, ...last }, clock.nowMs()))];
}

async function tipBefore(
  store: AuditStore,
  chain: Parameters<AuditStore["rows"]>[0],
  { firstSeq, checkpoint }: { firstSeq: number; checkpoint: AuditStatement | null },
): Promise<{ seq: number; hash: string }> {
  const [row] = await store.rows(chain, { afterSeq: firstSeq - 2, throughSeq: firstSeq - 1, limit: 1 });
  if (row !== undefined) return { seq: row.seq, hash: row.hash };
  return checkpoint === null ? { seq: 0, hash: GENESIS_HASH } : { seq: checkpoint.seq, hash: checkpoint.hash };
}

function statement(one: AuditStatement): ExportRecord {
  return { type: "statement", statement: one };
}
