import { type Fields, hasForbidden, readFields } from "./field-lines.ts";
import type { FieldNames } from "./field-names.ts";
import { malformed } from "./malformed-response.ts";

export interface ResponseHead {
  readonly minorVersion: 0 | 1;
  readonly status: number;
  readonly reason: string;
  readonly headers: Fields;
}

/** RFC 9112, 4. The space before an empty reason is often left out. */
const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([^\r\n]*))?$/;

/** A head without its final empty line, as Latin-1. Throws an error with a code `HPE_…`. */
export function parseHead(text: string, names: FieldNames): ResponseHead {
  if (hasForbidden(text)) throw malformed("control characters in the head", "INVALID_HEADER_TOKEN");
  const end = text.indexOf("\r\n");
  const line = end < 0 ? text : text.slice(0, end);
  const [, minor, status, reason = ""] = STATUS_LINE.exec(line) ?? notHttp();
  return {
    minorVersion: minor === "1" ? 1 : 0,
    status: Number(status),
    reason,
    headers: end < 0 ? {} : readFields(text, end + 2, names),
  };
}

function notHttp(): never {
  throw malformed("the status line is not one of HTTP/1.1", "INVALID_CONSTANT");
}
