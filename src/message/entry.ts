import type { Usage, UsageSource } from "./usage.ts";

/** How an exchange ended. */
export type Outcome =
  | "complete"
  | "client_gone"
  | "upstream_cut"
  | "upstream_error"
  | "timeout"
  /** Weir itself did not take it: a policy, a limit, overload, or what was wrong with the request. No upstream was asked. */
  | "refused"
  /** Weir itself failed. */
  | "internal_error"
  /** Cut by Weir: when its time to drain ran out, or found open at boot after a crash and settled with an estimate. */
  | "interrupted";

/** What the audit trail keeps of a request, where the policy asks for it. */
export interface AuditedRequest {
  /** The client's address. */
  readonly address: string;
  /** SHA-256 of the body as the client sent it, decompressed, hex. */
  readonly sha256: string;
}

/** What is known of an exchange from its admission on. Times are milliseconds since the epoch, money integer micro-dollars. */
export interface AdmittedExchange {
  readonly exchangeId: string;
  readonly organizationId: string;
  readonly teamId: string | null;
  readonly userId: string | null;
  readonly keyId: string;
  readonly userType: string;
  readonly sessionId: string | null;
  readonly agentId: string | null;
  readonly parentAgentId: string | null;
  /** The project that pays beside the caller; null for none. */
  readonly tag: string | null;
  readonly endpoint: string;
  /** Name of the wire format that the client spoke. */
  readonly clientFormat: string;
  readonly modelAsked: string;
  /** Canonical name of the model that answers. */
  readonly modelServed: string;
  readonly stream: boolean;
  readonly reservedMicroUsd: number;
  /** Version of the price table that the exchange was admitted under. */
  readonly priceVersion: string;
  /** Absent where exchanges are not audited. */
  readonly audited?: AuditedRequest | undefined;
  /** When the reservation was made: the entry belongs to the budget windows of this moment. */
  readonly admittedAtMs: number;
}

/** Written to the journal before the upstream is called, so that a killed process cannot lose the reservation. */
export interface OpenRecord extends AdmittedExchange {
  /** Estimated input tokens, so that a crash can be settled with an estimate. */
  readonly estimatedInputTokens: number;
}

/** One immutable ledger row: what an exchange used and cost. Unique on (exchangeId, attempt). Durations are milliseconds. */
export interface Entry extends AdmittedExchange {
  /** Number of the attempt that was served, from 1. */
  readonly attempt: number;
  /** How many attempts were made in all. */
  readonly attempts: number;
  /** Name of the upstream that answered; null when none was reached. */
  readonly target: string | null;
  /** The model's id at that upstream. */
  readonly targetModel: string | null;
  /** Why that upstream was asked, as the router's reason tokens say it. */
  readonly routeReason: string | null;
  /** HTTP status given to the client; 499 when the client had gone before one was sent. */
  readonly status: number;
  readonly outcome: Outcome;
  readonly usage: Usage;
  readonly usageSource: UsageSource;
  readonly costMicroUsd: number;
  /** Why the session left the upstream where its prompt cache was warm; null when it did not. */
  readonly cacheMove: string | null;
  /** What that move cost: the warm tokens written anew instead of read. An estimate; 0 when the session did not move. */
  readonly cacheLossMicroUsd: number;
  readonly settledAtMs: number;
  readonly latencyMs: number;
  /** Time to the first byte of content; null when none came. */
  readonly timeToFirstTokenMs: number | null;
  readonly upstreamRequestId: string | null;
}
