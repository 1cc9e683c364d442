/**
 * A fault that the sandbox injects.
 * - `status`: an error answer instead of a message. 429 and 529 carry `retry-after` when `retryAfterSeconds` is given.
 * - `slow_first_byte`: the first byte comes `delayMs` later; the answer is whole.
 * - `reset`: the connection is destroyed before any byte of the answer.
 * - `cut`: after `afterEvents` server-sent events (the regular ping counts) the stream ends: `destroy` closes the socket,
 *   `end` ends the body cleanly without `message_stop`, `error` sends an in-stream `overloaded_error` and ends. An answer
 *   that is not streamed is cut in the middle of its JSON (`destroy`, `end`) or is a 529 (`error`).
 * - `silence`: after `afterEvents` events nothing more is sent, not even pings, for `durationMs` or until the client goes
 *   away. An answer that is not streamed is held back whole.
 */
export type Fault =
  | { readonly kind: "status"; readonly status: number; readonly retryAfterSeconds?: number }
  | { readonly kind: "slow_first_byte"; readonly delayMs: number }
  | { readonly kind: "reset" }
  | { readonly kind: "cut"; readonly afterEvents: number; readonly how: CutKind }
  | { readonly kind: "silence"; readonly afterEvents: number; readonly durationMs?: number };

export type CutKind = "destroy" | "end" | "error";

/**
 * When a fault is injected into a call of POST /v1/messages. With neither `probability` nor `everyNth` it applies to
 * every request that matches; with both, each nth request draws.
 */
export interface FaultRule {
  readonly fault: Fault;
  /** Share of the matching requests, 0 to 1, drawn from the seed in order of arrival. */
  readonly probability?: number;
  /** The nth, 2nth, … matching request. */
  readonly everyNth?: number;
  /** Only for requests whose model id contains this. */
  readonly model?: string;
}
