/** Where an attempt's time ran out; `total` is the exchange's own time, not the target's. */
export type TimeoutPhase = "connect" | "first_byte" | "idle" | "total";

/** How an attempt failed. */
export type AttemptFailure =
  /** Any status that is no success, those for the caller's own faults included. */
  | {
      readonly kind: "status";
      readonly status: number;
      readonly retryAfterMs: number | null;
      /** The target says that it would answer a repeat just so (`x-should-retry: false`). */
      readonly isFinal?: boolean;
    }
  | { readonly kind: "connect_error"; readonly detail: string | null }
  | { readonly kind: "timeout"; readonly phase: TimeoutPhase }
  /** An error event in a stream whose status was 200. */
  | { readonly kind: "in_band_error"; readonly errorType: string; readonly retryAfterMs: number | null }
  /** The answer broke off. */
  | { readonly kind: "cut" }
  /** There was no credential to send. */
  | { readonly kind: "credential" };

/** How an attempt ended. */
export type AttemptEnd =
  | AttemptFailure
  /** It was answered; `latencyMs` is the time to the first byte, null where it would not compare. */
  | { readonly kind: "ok"; readonly latencyMs: number | null }
  /** The client left: says nothing of the target. */
  | { readonly kind: "client_gone" };

/** How an active probe ended. */
export type ProbeEnd = { readonly kind: "probe_ok" } | { readonly kind: "probe_failed"; readonly detail: string };

export type HealthSignal = AttemptEnd | ProbeEnd;

/** A signal and when its attempt (or probe) began, monotonic: late news from before a recovery is told by it. */
export interface HealthEvent {
  readonly signal: HealthSignal;
  readonly startedAtMs: number;
}
