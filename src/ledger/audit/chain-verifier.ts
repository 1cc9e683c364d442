import type { AuditRow, AuditStatement, ChainId, ChainTip } from "../../store/ports/audit.ts";
import { GENESIS_HASH, hashOfRow, isCanonical } from "./audit-chain.ts";
import type { AuditFinding, ChainReport, FaultKind } from "./audit-finding.ts";
import type { TrustedKeys } from "./statement-signer.ts";

const MOST_FINDINGS = 100;

export interface VerifierOptions {
  readonly keys: TrustedKeys;
  /** What the rows follow: a checkpoint, or the start of an export; null for the beginning of the chain. */
  readonly origin: AuditStatement | null;
}

/**
 * Looks through one chain from its oldest row on, keeping nothing but the last one. After a fault it goes on from what is
 * stored, so that each is told once.
 */
export class ChainVerifier {
  readonly #chain: ChainId;
  readonly #keys: TrustedKeys;
  readonly #origin: Pick<ChainTip, "seq" | "hash">;
  readonly #findings: AuditFinding[] = [];
  #moreFindings = 0;
  #rows = 0;
  #heads = 0;
  #firstSeq = 0;
  #signedSeq = 0;
  #last: Pick<ChainTip, "seq" | "hash">;
  /** The head about the latest row that has not come. */
  #beyond: AuditStatement | null = null;

  constructor(chain: ChainId, { keys, origin }: VerifierOptions) {
    this.#chain = chain;
    this.#keys = keys;
    this.#origin = origin ?? { seq: 0, hash: GENESIS_HASH };
    this.#last = this.#origin;
    if (origin !== null) {
      this.#checkSignature(origin);
      this.#signedSeq = origin.seq;
    }
  }

  get rows(): number {
    return this.#rows;
  }

  /**
   * The next rows, and all heads about rows after the last one seen and up to the last of these. Heads about rows that are
   * not there are told of as well.
   */
  take(rows: readonly AuditRow[], heads: readonly AuditStatement[]): void {
    let next = 0;
    for (const row of rows) {
      this.#takeRow(row);
      for (let head = heads[next]; head !== undefined && head.seq <= row.seq; head = heads[++next]) {
        this.#takeHead(head, head.seq === row.seq ? row.hash : null);
      }
    }
    for (const head of heads.slice(next)) this.#takeHead(head, null);
  }

  /** The end of an export: what the exporter signed. Call once, instead of `finish`. */
  finishExport(end: AuditStatement): ChainReport {
    if (this.#checkSignature(end) && end.seq === this.#last.seq && end.hash === this.#last.hash) {
      this.#signedSeq = end.seq;
    }
    return this.finish(end);
  }

  /** The end: `tip` is what the chain says of itself, null where nothing does. Call once. */
  finish(tip: Pick<ChainTip, "seq" | "hash"> | null, laterHeads: readonly AuditStatement[] = []): ChainReport {
    for (const head of laterHeads) this.#takeHead(head, null);
    const { seq, hash } = this.#last;
    const beyond = this.#beyond !== null && this.#beyond.seq > seq ? this.#beyond : null;
    if (beyond !== null || (tip !== null && tip.seq > seq)) {
      const through = Math.max(beyond?.seq ?? 0, tip?.seq ?? 0);
      const signed =
        beyond === null ? "" : `; a head for row ${beyond.seq} was signed at ${new Date(beyond.atMs).toISOString()}`;
      this.#find("truncated", seq + 1, `rows ${seq + 1} to ${through} are missing at the end of the chain${signed}`);
    } else if (tip !== null && (tip.seq < seq || tip.hash !== hash)) {
      this.#find("head_mismatch", seq, `the chain's own record of its end is row ${tip.seq} with hash ${tip.hash}`);
    }
    return {
      ...this.#chain,
      rows: this.#rows,
      heads: this.#heads,
      firstSeq: this.#firstSeq,
      lastSeq: seq,
      unsignedRows: Math.max(0, seq - Math.max(this.#signedSeq, this.#origin.seq)),
      findings: this.#findings,
      moreFindings: this.#moreFindings,
    };
  }

  #takeRow(row: AuditRow): void {
    this.#rows += 1;
    if (this.#rows === 1) this.#firstSeq = row.seq;
    this.#checkPlace(row);
    const hash = hashOfRow(row);
    if (hash !== row.hash) {
      this.#find("altered", row.seq, `its content has hash ${hash}, but ${row.hash} was recorded: ${describe(row)}`);
    } else if (!isCanonical(row.before) || !isCanonical(row.after)) {
      this.#find("altered", row.seq, `what it says of before or after is not in the form that Weir writes`);
    }
    this.#last = row;
  }

  #checkPlace(row: AuditRow): void {
    const { seq, hash } = this.#last;
    const { organizationId, retentionClass } = this.#chain;
    if (row.organizationId !== organizationId || row.retentionClass !== retentionClass) {
      this.#find("out_of_order", row.seq, `it belongs to chain ${row.organizationId}/${row.retentionClass}`);
    } else if (row.seq <= seq) {
      this.#find("out_of_order", row.seq, `it stands after row ${seq}`);
    } else if (row.seq > seq + 1) {
      const isBeginning = this.#rows === 1;
      const which = row.seq === seq + 2 ? `row ${seq + 1} is` : `rows ${seq + 1} to ${row.seq - 1} are`;
      const why = isBeginning ? `${which} missing, and no signed checkpoint says why` : `${which} missing`;
      this.#find(isBeginning ? "no_beginning" : "missing", seq + 1, why);
    } else if (row.prev !== hash) {
      const before = seq === 0 ? "nothing (it is the first row)" : `row ${seq}, whose hash is ${hash}`;
      this.#find(
        "not_linked",
        row.seq,
        `it was written after a row with hash ${row.prev}, but stands after ${before}: row ${seq} was replaced, or row ${row.seq} put in`,
      );
    }
  }

  #takeHead(head: AuditStatement, rowHash: string | null): void {
    this.#heads += 1;
    if (!this.#checkSignature(head)) return;
    if (rowHash === head.hash) this.#signedSeq = Math.max(this.#signedSeq, head.seq);
    else if (rowHash !== null) {
      const signedAt = new Date(head.atMs).toISOString();
      this.#find("head_mismatch", head.seq, `the head signed at ${signedAt} says that its hash is ${head.hash}`);
    } else if (head.seq > (this.#beyond?.seq ?? 0)) {
      this.#beyond = head;
    }
  }

  #checkSignature(statement: AuditStatement): boolean {
    const fault = this.#keys.faultOf(statement);
    if (fault === null) return true;
    const what = `the ${statement.kind} at row ${statement.seq}`;
    const how =
      fault === "unknown_key" ? `is signed by key ${statement.keyId}, which is not trusted` : `has a wrong signature`;
    this.#find(fault, statement.seq, `${what} ${how}`);
    return false;
  }

  #find(kind: FaultKind, seq: number, message: string): void {
    if (this.#findings.length < MOST_FINDINGS) this.#findings.push({ ...this.#chain, kind, seq, message });
    else this.#moreFindings += 1;
  }
}

function describe({ atMs, action, actor }: AuditRow): string {
  const at = Number.isSafeInteger(atMs) && Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : String(atMs);
  return `${action} by ${actor} at ${at}`;
}
