import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { OwnedObjectStore } from "../../store/ports/owned-objects.ts";
import { mapBounded } from "./map-bounded.ts";
import { isJsonObject, parseJsonObject } from "./json-object.ts";
import { findOwned, ownerOf } from "./ownership.ts";

/** The end of `"file_id"`: `_` is rarer in JSON than `"` or `f`, and the search runs from one first byte to the next. */
const KEY_END = Buffer.from('_id"');
const KEY_START = Buffer.from('"file');
const ESCAPE_END = Buffer.from("u00");
const ZEROS = Buffer.from("00");
/** Codes of the letters of `file_id`, as the last two digits of an escape such as `\u0066`. */
const ESCAPED_LETTERS = new Set(["66", "69", "6c", "65", "5f", "64"]);
/** Look-ups of owners that one request may have under way. */
const CONCURRENCY = 8;

/**
 * Refuses a request that uses a file which is not the caller's (WeirError 404), wherever in its content the file stands.
 * Resolves with the name of the upstream that holds the files, to which the request then must go, or null when it uses
 * none. `body` is valid JSON of bounded depth. Without a `file_id` in it the cost is one search over its bytes, and nothing
 * is awaited that is not there yet.
 */
export async function checkFileOwnership(
  body: Buffer,
  identity: Identity,
  objects: OwnedObjectStore,
): Promise<string | null> {
  if (!mayUseFiles(body)) return null;
  const ids = usedFiles(parseJsonObject(body));
  if (ids.size === 0) return null;
  const owner = ownerOf(identity);
  const files = await mapBounded([...ids], CONCURRENCY, (id) => findOwned(objects, owner, { kind: "file", id }));
  const holders = [...new Set(files.map((file) => file.target))].sort();
  if (holders.length > 1) {
    const message = `The files of one request must be at one upstream; these are at ${holders.join(", ")}.`;
    throw new WeirError("weir:request:invalid_field", message);
  }
  return holders[0] ?? null;
}

/** Whether the key `file_id` can stand in a JSON text, plainly or with letters escaped. Errs only towards true. */
export function mayUseFiles(body: Buffer): boolean {
  for (let at = body.indexOf(KEY_END); at >= 0; at = body.indexOf(KEY_END, at + KEY_END.length)) {
    if (at >= KEY_START.length && body.compare(KEY_START, 0, KEY_START.length, at - KEY_START.length, at) === 0)
      return true;
  }
  return hasEscapedLetter(body);
}

/** Nobody escapes these letters except to hide them; the escapes that are common (control characters, other scripts) differ. */
function hasEscapedLetter(body: Buffer): boolean {
  // One cheap search spares most bodies the walk over their zeros.
  if (!body.includes(ESCAPE_END)) return false;
  let at = body.indexOf(ZEROS);
  while (at >= 0) {
    const isEscape = body[at - 1] === 117 && body[at - 2] === 92;
    if (isEscape && ESCAPED_LETTERS.has(body.toString("latin1", at + 2, at + 4).toLowerCase())) return true;
    let end = at;
    while (body[end] === 48) end++;
    at = body.indexOf(ZEROS, end);
  }
  return false;
}

/**
 * The files that a request's content refers to: sources of type `file` and `container_upload` blocks. What a tool was called
 * with (`input`) is the caller's own data and may look like either.
 */
function usedFiles(request: unknown): ReadonlySet<string> {
  const ids = new Set<string>();
  const pending: unknown[] = [request];
  while (pending.length > 0) {
    const value = pending.pop();
    if (Array.isArray(value)) {
      for (const item of value) pending.push(item);
    } else if (isJsonObject(value)) {
      const { type, file_id: id } = value;
      if ((type === "file" || type === "container_upload") && typeof id === "string") ids.add(id);
      for (const key in value) if (key !== "input" && key !== "input_schema") pending.push(value[key]);
    }
  }
  return ids;
}
