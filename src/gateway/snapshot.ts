import type { AddressList } from "../core/address-list.ts";
import type { PriceBook } from "../ledger/prices/price-book.ts";
import type { ManagedPolicies } from "../policy/managed/managed-policies.ts";
import type { LimitTable } from "../policy/rate/limit-table.ts";
import type { QueueSettings } from "../policy/rate/rate-policy.ts";
import type { RouteTable } from "../routing/route-table.ts";

/** The immutable, validated configuration that an exchange runs under, compiled for the hot path. */
export interface Snapshot {
  readonly revision: number;
  readonly routes: RouteTable;
  readonly prices: PriceBook;
  readonly limits: LimitTable;
  readonly queue: QueueSettings;
  /** What a caller is to do whose budget is full; null for the general advice. */
  readonly blockedMessage: string | null;
  /** Who gets which settings, and may use which models. */
  readonly managed: ManagedPolicies;
  readonly access: {
    readonly allow: AddressList;
    readonly deny: AddressList;
    readonly trustedProxies: AddressList;
  };
  /** False where the operator turned authentication off: a request without a key then runs under the oldest key. */
  readonly requireKey: boolean;
  /** Whether every exchange leaves a row in the audit trail. */
  readonly auditExchanges: boolean;
  readonly maxRequestBytes: number;
  readonly maxDecompressedBytes: number;
  readonly maxUrlLength: number;
  readonly maxJsonDepth: number;
  /** Silence after which a ping is sent on a stream. */
  readonly pingIntervalMs: number;
}
