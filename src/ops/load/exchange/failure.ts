/** What went wrong with a request, in kinds that call for different cures. */
export type FailureKind =
  /** An answer with a status of 400 or above. */
  | "http"
  /** No connection was made. */
  | "connect"
  /** The connection broke before the answer began. */
  | "reset"
  /** The answer began and ended without being complete: a stream without message_stop, a body that stopped short. */
  | "cut"
  /** The stream carried an error event. */
  | "stream_error"
  | "timeout"
  /** A whole answer that is no Messages answer. */
  | "protocol";

export interface Failure {
  readonly kind: FailureKind;
  /** A short text that is the same for like failures, for example `429 rate_limit_error` or `ECONNRESET`. */
  readonly detail: string;
  /** What the server or the system said this time. */
  readonly message: string;
}

const MAX_DETAIL = 80;
const MAX_MESSAGE = 300;

/**
 * A failure whose texts are safe to show: without control characters (a server must not write to our terminal), short, and
 * without any of `secrets`, which a server might echo.
 */
export function failure(
  kind: FailureKind,
  texts: { detail: string; message: string },
  secrets: readonly string[],
): Failure {
  return {
    kind,
    detail: clean(texts.detail, MAX_DETAIL, secrets),
    message: clean(texts.message, MAX_MESSAGE, secrets),
  };
}

/** A text from elsewhere made fit for a terminal and a report. */
export function clean(text: string, maxLength: number, secrets: readonly string[]): string {
  let safe = text;
  for (const secret of secrets) if (secret.length >= 4) safe = safe.replaceAll(secret, "[redacted]");
  // Control, format and separator characters: they could move a terminal's cursor or reverse the reading order.
  safe = safe.replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]+/gu, " ").trim();
  return safe.length > maxLength ? `${safe.slice(0, maxLength - 1)}…` : safe;
}

/** The name that a system or client error goes by: its code, else its class. */
export function codeOf(error: Error): string {
  const { code } = error as NodeJS.ErrnoException; // Errors of Node and undici may carry a code.
  if (typeof code === "string" && code !== "UND_ERR_SOCKET") return code;
  if (error.cause instanceof Error) return codeOf(error.cause);
  // undici's word for a connection that the other side ended without an error of the system.
  return code === "UND_ERR_SOCKET" ? "closed" : error.name;
}

/** Codes with which a connection could not be made at all. */
const CONNECT_CODES: ReadonlySet<string> = new Set([
  "ECONNREFUSED",
  "EHOSTUNREACH",
  "ENETUNREACH",
  "EADDRNOTAVAIL",
  "ENOTFOUND",
  "EAI_AGAIN",
  "EMFILE",
  "UND_ERR_CONNECT_TIMEOUT",
  "DEPTH_ZERO_SELF_SIGNED_CERT",
  "SELF_SIGNED_CERT_IN_CHAIN",
  "UNABLE_TO_VERIFY_LEAF_SIGNATURE",
  "UNABLE_TO_GET_ISSUER_CERT_LOCALLY",
  "CERT_HAS_EXPIRED",
  "ERR_TLS_CERT_ALTNAME_INVALID",
  "EPROTO",
]);

export function isConnectError(error: Error): boolean {
  return CONNECT_CODES.has(codeOf(error)) || (error instanceof AggregateError && error.errors.length > 0);
}
