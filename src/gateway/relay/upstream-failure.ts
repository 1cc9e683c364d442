import type { Outcome } from "../../message/entry.ts";
import type { AttemptFailure, TimeoutPhase } from "../../routing/health/signal.ts";

/** undici's and the system's names of errors that are time-outs, and what ran out. */
const TIMEOUTS: Readonly<Record<string, TimeoutPhase>> = {
  UND_ERR_CONNECT_TIMEOUT: "connect",
  ETIMEDOUT: "connect",
  UND_ERR_HEADERS_TIMEOUT: "first_byte",
  UND_ERR_BODY_TIMEOUT: "idle",
};

/** Errors after which nothing of the request has reached the upstream. */
const NOT_CONNECTED = new Set([
  "ECONNREFUSED",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "CERT_HAS_EXPIRED",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "WEIR_ADDRESS_REFUSED",
]);

/** The code of a system or undici error, or its name. */
export function errorCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

export function isTimeout(error: Error): boolean {
  return Object.hasOwn(TIMEOUTS, errorCode(error));
}

/** How an exchange ended whose upstream connection failed in the middle. */
export function failureOutcome(error: Error): Outcome {
  return isTimeout(error) ? "timeout" : "upstream_cut";
}

/** A failed connection as routing sees it. */
export function connectionFailure(error: Error): AttemptFailure {
  const code = errorCode(error);
  const phase = TIMEOUTS[code];
  if (phase !== undefined) return { kind: "timeout", phase };
  return NOT_CONNECTED.has(code) ? { kind: "connect_error", detail: code } : { kind: "cut" };
}

/** Milliseconds that an upstream asked to be left alone: seconds, or a date (RFC 9110, 10.2.3); null when it has not said. */
export function retryAfterMs(header: string | string[] | undefined, nowMs: number): number | null {
  const text = Array.isArray(header) ? header[0] : header;
  if (text === undefined) return null;
  const seconds = Number(text);
  if (text.trim() !== "" && Number.isFinite(seconds)) return Math.max(0, seconds * 1_000);
  const dateMs = Date.parse(text);
  return Number.isNaN(dateMs) ? null : Math.max(0, dateMs - nowMs);
}
