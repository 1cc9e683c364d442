import type { AttemptFailure, HealthSignal, TimeoutPhase } from "./signal.ts";

/** How much one failure says; each kind has its own number in a row that opens the circuit. */
export type Severity = "transient" | "connect" | "timeout" | "hard" | "probe";

/** What a signal means for health. */
export interface Verdict {
  readonly effect: "success" | "failure" | "rate_limited" | "none";
  /** `upstream` concerns everything there, the model included; `model` this model alone. */
  readonly scope: "upstream" | "model";
  readonly severity: Severity;
}

const SUCCESS: Verdict = { effect: "success", scope: "upstream", severity: "transient" };
const NOTHING: Verdict = { effect: "none", scope: "model", severity: "transient" };
/** Quotas are counted for each model nearly everywhere. */
const RATE_LIMITED: Verdict = { effect: "rate_limited", scope: "model", severity: "transient" };
const TRANSIENT: Verdict = { effect: "failure", scope: "upstream", severity: "transient" };
/** One model's capacity, not the provider's. */
const OVERLOADED: Verdict = { effect: "failure", scope: "model", severity: "transient" };
const CONNECT: Verdict = { effect: "failure", scope: "upstream", severity: "connect" };
const TIMEOUT: Verdict = { effect: "failure", scope: "upstream", severity: "timeout" };
const CREDENTIAL: Verdict = { effect: "failure", scope: "upstream", severity: "hard" };
/** Unknown or not granted there. Clouds grant access model by model, so a 403 says nothing of the other models. */
const MODEL_MISSING: Verdict = { effect: "failure", scope: "model", severity: "hard" };
const PROBE_FAILED: Verdict = { effect: "failure", scope: "upstream", severity: "probe" };

const VERDICTS = {
  ok: SUCCESS,
  probe_ok: SUCCESS,
  client_gone: NOTHING,
  connect_error: CONNECT,
  cut: TRANSIENT,
  credential: CREDENTIAL,
  probe_failed: PROBE_FAILED,
} as const;

const TIMEOUTS: Readonly<Record<TimeoutPhase, Verdict>> = {
  connect: CONNECT,
  first_byte: TIMEOUT,
  idle: TIMEOUT,
  // The exchange's own time was up; how long this attempt had of it says little.
  total: NOTHING,
};

/** What the error types of the Messages API would have been as a status, for errors that come within a stream. */
const STATUS_OF_TYPE: ReadonlyMap<string, number> = new Map([
  ["invalid_request_error", 400],
  ["authentication_error", 401],
  ["billing_error", 402],
  ["permission_error", 403],
  ["not_found_error", 404],
  ["request_too_large", 413],
  ["rate_limit_error", 429],
  ["api_error", 500],
  ["timeout_error", 504],
  ["overloaded_error", 529],
]);

/** The status that a failure has, or would have had outside a stream; null where there is none. */
export function statusOf(failure: AttemptFailure): number | null {
  if (failure.kind === "status") return failure.status;
  // An error type that nobody knows is the provider's trouble, until somebody says otherwise.
  return failure.kind === "in_band_error" ? (STATUS_OF_TYPE.get(failure.errorType) ?? 500) : null;
}

export function judge(signal: HealthSignal): Verdict {
  if (signal.kind === "timeout") return TIMEOUTS[signal.phase];
  if (signal.kind === "status" || signal.kind === "in_band_error") return judgeStatus(statusOf(signal) ?? 500);
  return VERDICTS[signal.kind];
}

function judgeStatus(status: number): Verdict {
  if (status === 429) return RATE_LIMITED;
  if (status === 401) return CREDENTIAL;
  if (status === 403 || status === 404 || status === 501) return MODEL_MISSING;
  if (status === 529) return OVERLOADED;
  if (status >= 500 || (status >= 300 && status < 400)) return TRANSIENT;
  // Any other 4xx is the caller's: the target is there and answers.
  return SUCCESS;
}

/** A failure in words, as the second half of "3 failures in a row, last: …". */
export function failureWords(signal: HealthSignal): string {
  if (signal.kind === "status") return `status ${signal.status}`;
  if (signal.kind === "in_band_error") return `${printable(signal.errorType)} in the stream`;
  if (signal.kind === "timeout") return TIMEOUT_WORDS[signal.phase];
  if (signal.kind === "probe_failed") return `probe failed (${printable(signal.detail)})`;
  if (signal.kind === "connect_error" && signal.detail !== null) return `no connection (${printable(signal.detail)})`;
  return WORDS[signal.kind];
}

const WORDS = {
  connect_error: "no connection",
  cut: "the answer broke off",
  credential: "no credential to send",
  ok: "answered",
  probe_ok: "answered",
  client_gone: "the client left",
} as const;

const TIMEOUT_WORDS = {
  connect: "no connection in time",
  first_byte: "no first byte in time",
  idle: "silence within the answer",
  total: "no time left",
} as const;

/** What an upstream said, fit for a line: no control characters, at most 80 characters. */
function printable(text: string): string {
  return text.slice(0, 80).replace(/[^\x20-\x7e]/g, "?");
}
