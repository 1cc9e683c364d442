import { malformed } from "./malformed-response.ts";
import type { ResponseHead } from "./response-head.ts";

/** Where an answer's body ends. */
export type Framing =
  | { readonly kind: "none" }
  | { readonly kind: "length"; readonly bytes: number }
  | { readonly kind: "chunked" }
  | { readonly kind: "until_close" };

const NONE: Framing = { kind: "none" };
const CHUNKED: Framing = { kind: "chunked" };
const UNTIL_CLOSE: Framing = { kind: "until_close" };
/** Below 2^53, so that a length is a number. */
const LENGTH = /^\d{1,15}$/;

/**
 * The framing of an answer to `method` (RFC 9112, 6.3), stricter than it need be: whatever two readers could read in two ways
 * is refused. One Content-Length or one `Transfer-Encoding: chunked`, never both, never twice. Throws an error with a code `HPE_…`.
 */
export function framingOf(method: string, { minorVersion, status, headers }: ResponseHead): Framing {
  const length = headers["content-length"];
  const coding = headers["transfer-encoding"];
  if (length !== undefined && (typeof length !== "string" || !LENGTH.test(length)))
    throw malformed("not one Content-Length", "INVALID_CONTENT_LENGTH");
  if (coding !== undefined) {
    if (length !== undefined) throw malformed("Content-Length beside Transfer-Encoding", "UNEXPECTED_CONTENT_LENGTH");
    if (minorVersion === 0 || typeof coding !== "string" || coding.toLowerCase() !== "chunked")
      throw malformed("a transfer coding other than chunked", "INVALID_TRANSFER_ENCODING");
  }
  if (method === "HEAD" || status === 204 || status === 304) return NONE;
  if (coding !== undefined) return CHUNKED;
  if (length === undefined) return UNTIL_CLOSE;
  const bytes = Number(length);
  return bytes === 0 ? NONE : { kind: "length", bytes };
}

/** Whether the connection may carry another request once this answer has ended. */
export function isPersistent(method: string, head: ResponseHead, framing: Framing): boolean {
  if (framing.kind === "until_close" || method === "HEAD") return false;
  // A body that must not be there may come all the same, and would be taken for the next answer.
  if ((head.status === 204 || head.status === 304) && announcesBody(head)) return false;
  const { connection } = head.headers;
  if (connection === undefined) return head.minorVersion === 1;
  const options = (typeof connection === "string" ? connection : connection.join(","))
    .toLowerCase()
    .split(/[\t ]*,[\t ]*/);
  if (options.includes("close")) return false;
  return head.minorVersion === 1 || options.includes("keep-alive");
}

function announcesBody({ headers }: ResponseHead): boolean {
  return headers["transfer-encoding"] !== undefined || (headers["content-length"] ?? "0") !== "0";
}

/** Milliseconds that the server keeps an idle connection by its `keep-alive: timeout=`; null where it does not say. */
export function announcedKeepAliveMs({ headers }: ResponseHead): number | null {
  const value = headers["keep-alive"];
  const seconds = typeof value === "string" ? /(?:^|[,;\s])timeout=(\d{1,6})/i.exec(value)?.[1] : undefined;
  return seconds === undefined ? null : Number(seconds) * 1_000;
}
