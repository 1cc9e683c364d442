const DEEPEST = 32;

/**
 * The one JSON text of a value, which hashes and signatures are made of: no white space, members sorted by their names'
 * UTF-16 code units, integers in decimal, strings as JSON.stringify writes them. What has no exact form becomes a text: a
 * number that is no safe integer, a bigint, a date (ISO 8601). NUL and lone surrogates, which PostgreSQL cannot keep, become
 * U+FFFD; undefined members are left out. Throws RangeError on nesting deeper than 32.
 */
export function canonicalJson(value: unknown, depth = 0): string {
  if (depth > DEEPEST) throw new RangeError(`nested deeper than ${DEEPEST}`);
  if (typeof value === "string") return JSON.stringify(storableText(value));
  if (typeof value === "number") return Number.isSafeInteger(value) ? String(value) : JSON.stringify(String(value));
  if (typeof value === "boolean") return String(value);
  if (typeof value === "bigint") return JSON.stringify(String(value));
  return typeof value === "object" && value !== null ? compound(value, depth) : "null";
}

/** A text as PostgreSQL and UTF-8 can keep it. */
export function storableText(text: string): string {
  return text.toWellFormed().replaceAll("\0", "\uFFFD");
}

function compound(value: object, depth: number): string {
  if (value instanceof Date) return JSON.stringify(value.toISOString());
  if (Array.isArray(value)) return `[${value.map((item) => canonicalJson(item, depth + 1)).join(",")}]`;
  // By the name as it is stored: two names may become one.
  const members = new Map<string, unknown>();
  for (const [name, member] of Object.entries(value)) {
    if (member !== undefined) members.set(storableText(name), member);
  }
  const parts = [...members.keys()]
    .sort()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members.get(name), depth + 1)}`);
  return `{${parts.join(",")}}`;
}
