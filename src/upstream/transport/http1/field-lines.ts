import type { FieldNames } from "./field-names.ts";
import { malformed } from "./malformed-response.ts";

/** Fields by their names in lower case; one that comes more than once has a list. Never has `__proto__`. */
export type Fields = Record<string, string | string[]>;

/** More than any provider sends. */
const MAX_FIELDS = 256;
/** Control characters, and line ends that are not CRLF: what two readers could take for the end of a line or not. */
// eslint-disable-next-line no-control-regex
const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)|(?<!\r)\n/;
const SPACE = 0x20;
const TAB = 0x09;

/** Whether bytes of a head, as Latin-1, hold what none may hold. */
export function hasForbidden(text: string): boolean {
  return FORBIDDEN.test(text);
}

/**
 * Reads field lines (RFC 9112, 5) from `start` to the end of `text`, which is Latin-1, has passed `hasForbidden` and does not
 * end in a line end. Throws on folded lines, on names that are none, and on too many.
 */
export function readFields(text: string, start: number, names: FieldNames): Fields {
  const fields: Fields = {};
  let count = 0;
  let at = start;
  while (at < text.length) {
    let end = text.indexOf("\r\n", at);
    if (end < 0) end = text.length;
    const colon = text.indexOf(":", at);
    if (colon < 0 || colon > end) throw malformed("a field without a colon", "INVALID_HEADER_TOKEN");
    if (++count > MAX_FIELDS) throw malformed("too many fields", "HEADER_OVERFLOW");
    add(fields, names.lower(text.slice(at, colon)), trimmed(text, colon + 1, end));
    at = end + 2;
  }
  return fields;
}

function add(fields: Fields, name: string, value: string): void {
  // On a plain object it would not be a field but the object's prototype.
  if (name === "__proto__") return;
  const known = Object.hasOwn(fields, name) ? fields[name] : undefined;
  if (known === undefined) fields[name] = value;
  else if (typeof known === "string") fields[name] = [known, value];
  else known.push(value);
}

/** Optional white space around a value is none of it. */
function trimmed(text: string, from: number, to: number): string {
  let [start, end] = [from, to];
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end--;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
