import type { AuditStatement, AuditStore, ChainState } from "../../store/ports/audit.ts";
import type { ChainReport } from "./audit-finding.ts";
import { ChainVerifier } from "./chain-verifier.ts";
import type { TrustedKeys } from "./statement-signer.ts";

const PAGE_ROWS = 2_000;
/** Heads are far fewer than rows, but nothing says that they must be. */
const MOST_HEADS = 100_000;

export interface VerifyOptions {
  readonly keys: TrustedKeys;
  /** Heads that were kept elsewhere, in the order of their rows: they cannot have been removed with the rows. */
  readonly anchors?: readonly AuditStatement[];
  /** Called after every page, with how many rows have been looked at. */
  readonly onProgress?: (rows: number) => void;
}

/**
 * Looks through a stored chain, page by page. `state` was read before: rows that come meanwhile are left for the next time,
 * rows that retention removes meanwhile are looked for behind its checkpoint.
 */
export async function verifyStore(store: AuditStore, state: ChainState, options: VerifyOptions): Promise<ChainReport> {
  for (;;) {
    const origin = await store.checkpoint(state);
    const report = await verifyFrom(store, state, { ...options, origin });
    const checkpoint = await store.checkpoint(state);
    if (checkpoint?.seq === origin?.seq) return report;
  }
}

async function verifyFrom(
  store: AuditStore,
  state: ChainState,
  { keys, origin, anchors = [], onProgress }: VerifyOptions & { origin: AuditStatement | null },
): Promise<ChainReport> {
  const verifier = new ChainVerifier(state, { keys, origin });
  const beganAt = origin?.seq ?? 0;
  let afterSeq = beganAt;
  for (;;) {
    const rows = await store.rows(state, { afterSeq, throughSeq: state.seq, limit: PAGE_ROWS });
    const last = rows.at(-1);
    if (last === undefined) break;
    const span = { afterSeq, throughSeq: last.seq, limit: MOST_HEADS };
    verifier.take(rows, merged(await store.heads(state, span), within(anchors, afterSeq, last.seq)));
    onProgress?.(verifier.rows);
    afterSeq = last.seq;
  }
  const later = await store.heads(state, { afterSeq, throughSeq: Infinity, limit: MOST_HEADS });
  // A head about rows that were added since this began is for the next time.
  const now = (await store.chains(state.organizationId)).find((one) => one.retentionClass === state.retentionClass);
  const grownTo = now?.seq ?? state.seq;
  const missing = merged(later, within(anchors, afterSeq, Infinity)).filter(
    ({ seq }) => seq <= state.seq || seq > grownTo,
  );
  const tip = state.seq < beganAt ? null : state;
  return verifier.finish(tip, missing);
}

function within(heads: readonly AuditStatement[], afterSeq: number, throughSeq: number): AuditStatement[] {
  return heads.filter(({ seq }) => seq > afterSeq && seq <= throughSeq);
}

function merged(stored: readonly AuditStatement[], anchors: readonly AuditStatement[]): readonly AuditStatement[] {
  return anchors.length === 0 ? stored : [...stored, ...anchors].sort((a, b) => a.seq - b.seq);
}
