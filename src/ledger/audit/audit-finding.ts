import type { ChainId } from "../../store/ports/audit.ts";

/**
 * What is wrong with a chain:
 * - `altered`: a row's content is not what its hash was made of;
 * - `not_linked`: a row does not follow the one before it: that one was replaced, or this one was put in;
 * - `missing`: rows between two others are not there;
 * - `out_of_order`: a row stands where another should;
 * - `truncated`: rows that a signed head or the chain's own tip knows are not there at the end;
 * - `head_mismatch`: a row is not the one that was signed;
 * - `bad_signature`, `unknown_key`: a head or checkpoint is not by a trusted key;
 * - `no_beginning`: the chain begins in the middle, without a checkpoint that says why;
 * - `malformed`: a line of an export cannot be read.
 */
export type FaultKind =
  | "altered"
  | "not_linked"
  | "missing"
  | "out_of_order"
  | "truncated"
  | "head_mismatch"
  | "bad_signature"
  | "unknown_key"
  | "no_beginning"
  | "malformed";

export interface AuditFinding extends ChainId {
  readonly kind: FaultKind;
  /** The row that is wrong, or the first of those that are missing. */
  readonly seq: number;
  /** What is wrong with it, in a sentence. */
  readonly message: string;
}

/** What looking through one chain has found. */
export interface ChainReport extends ChainId {
  readonly rows: number;
  readonly heads: number;
  /** The first and last row; 0 where there is none. */
  readonly firstSeq: number;
  readonly lastSeq: number;
  /** Rows at the end that no signed head covers yet. */
  readonly unsignedRows: number;
  readonly findings: readonly AuditFinding[];
  /** Findings beyond those that are listed. */
  readonly moreFindings: number;
}
