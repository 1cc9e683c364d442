import type { AuditResult, RetentionClass } from "../../core/audit-act.ts";

/** Every organisation has one chain of rows for each class, so that a class can expire from its oldest row on. */
export interface ChainId {
  readonly organizationId: string;
  readonly retentionClass: RetentionClass;
}

/** One row of a chain. Hashes are lower-case hex of SHA-256. */
export interface AuditRow extends ChainId {
  /** Its place, from 1, without gaps. */
  readonly seq: number;
  readonly atMs: number;
  readonly actor: string;
  readonly action: string;
  readonly object: string | null;
  /** Canonical JSON texts. */
  readonly before: string | null;
  readonly after: string | null;
  readonly address: string | null;
  readonly requestId: string | null;
  readonly result: AuditResult;
  readonly reason: string | null;
  /** Hash of the row before it. */
  readonly prev: string;
  readonly hash: string;
}

/** The last row of a chain; `seq` 0 where there has been none. */
export interface ChainTip extends ChainId {
  readonly seq: number;
  readonly hash: string;
}

export interface ChainState extends ChainTip {
  /** The last row that a signed head covers. */
  readonly headSeq: number;
}

/**
 * A signed sentence about a chain: `head`: "row `seq` has this hash"; `checkpoint`: "everything up to row `seq`, whose hash
 * was this, was removed by retention"; `start`: "an export begins after row `seq`, whose hash is this"; `end`: "it ends with
 * row `seq`".
 */
export interface AuditStatement extends ChainTip {
  readonly kind: "head" | "checkpoint" | "start" | "end";
  readonly atMs: number;
  /** How many rows a checkpoint stands for; null for the others. */
  readonly removed: number | null;
  readonly keyId: string;
  /** Ed25519, hex. */
  readonly signature: string;
}

/** What to look for, newest first. Filters are equalities; one that ends in `*` is a prefix. */
export interface AuditQuery {
  readonly organizationIds: readonly string[];
  readonly fromMs: number;
  /** May be `Infinity`. */
  readonly toMs: number;
  /** What the asker may see begins here: an auditor's 90 days. Null for all. */
  readonly visibleFromMs: number | null;
  readonly retentionClass?: RetentionClass;
  readonly actor?: string;
  readonly action?: string;
  readonly object?: string;
  readonly result?: AuditResult;
  readonly requestId?: string;
  readonly limit: number;
}

/** A part of a chain in its order. */
export interface ChainSlice {
  /** Rows after this one. */
  readonly afterSeq: number;
  /** Up to this one; may be `Infinity`. */
  readonly throughSeq: number;
  readonly limit: number;
}

/** Rows that can be added, read and, once a signed checkpoint covers them, removed; never changed. */
export interface AuditStore {
  /**
   * Adds rows to a chain in one transaction, one writer at a time whatever the process. `extend` gets the tip and those of
   * `objects` that the chain has rows about, and gives the rows that follow; it must be pure.
   */
  append(
    chain: ChainId,
    extend: (tip: ChainTip, known: ReadonlySet<string>) => readonly AuditRow[],
    objects?: readonly string[],
  ): Promise<ChainTip>;
  /** Every chain, or an organisation's, in the order of their ids. */
  chains(organizationId?: string): Promise<readonly ChainState[]>;
  rows(chain: ChainId, slice: ChainSlice): Promise<readonly AuditRow[]>;
  find(query: AuditQuery): Promise<readonly AuditRow[]>;
  /** The first row in the chain's order that is not older than `atMs`; null when there is none. */
  firstSeqSince(chain: ChainId, atMs: number): Promise<number | null>;
  /** Keeps a signed head. The same head again changes nothing. */
  addHead(head: AuditStatement): Promise<void>;
  heads(chain: ChainId, slice: ChainSlice): Promise<readonly AuditStatement[]>;
  /** The last checkpoint; null where nothing was removed yet. */
  checkpoint(chain: ChainId): Promise<AuditStatement | null>;
  /** Keeps the checkpoint and removes the rows and heads that it stands for, in one transaction. Returns how many rows. */
  prune(checkpoint: AuditStatement): Promise<number>;
}
