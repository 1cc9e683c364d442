import type { Outcome } from "../../message/entry.ts";

/** undici's names of errors that are time-outs. */
const TIMEOUTS = new Set(["UND_ERR_CONNECT_TIMEOUT", "UND_ERR_HEADERS_TIMEOUT", "UND_ERR_BODY_TIMEOUT", "ETIMEDOUT"]);

/** The code of a system or undici error, or its name. */
export function errorCode(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.name;
}

export function isTimeout(error: Error): boolean {
  return TIMEOUTS.has(errorCode(error));
}

/** How an exchange ended whose upstream connection failed in the middle. */
export function failureOutcome(error: Error): Outcome {
  return isTimeout(error) ? "timeout" : "upstream_cut";
}
