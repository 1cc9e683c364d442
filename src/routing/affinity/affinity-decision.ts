import type { MicroUsd } from "../../core/money.ts";

/** Why a session is where it is. */
export type AffinityReason =
  /** No session is known, or affinity is off. */
  | "no_session"
  /** Nothing of the session is warm anywhere. */
  | "cold"
  /** It stays where its cache is warm. */
  | "warm"
  /** Its target is no longer among those that serve the model. */
  | "moved_gone"
  /** Its target cannot be used now. */
  | "moved_unusable"
  /** Its target is degraded, and the cache worth little. */
  | "moved_degraded"
  /** The deployment has failed over to another cloud. */
  | "moved_failover"
  /** Another target is cheaper, the cache written anew included. */
  | "moved_cheaper"
  /** Its target was tried and failed. */
  | "moved_failed";

/** Where a session's request goes, and what it costs that it does not stay; for the ledger. */
export interface AffinityDecision {
  /** Key of the target. */
  readonly target: string;
  readonly moved: boolean;
  /** 0 unless moved. */
  readonly lostMicroUsd: MicroUsd;
  readonly reason: AffinityReason;
}

const WORDS: Readonly<Record<AffinityReason, string>> = {
  no_session: "the request names no session",
  cold: "the session has no warm prompt cache",
  warm: "the session's prompt cache is warm there",
  moved_gone: "the session moves: its target no longer serves the model",
  moved_unusable: "the session moves: its target cannot be used",
  moved_degraded: "the session moves: its target is degraded and its cache is worth little",
  moved_failover: "the session moves: the deployment has failed over",
  moved_cheaper: "the session moves: the other target is cheaper, the cache written anew included",
  moved_failed: "the session moves: its target was tried and failed",
};

export function affinityWords(reason: AffinityReason): string {
  return WORDS[reason];
}
