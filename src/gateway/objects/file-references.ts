import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { OwnedObjectStore } from "../../store/ports/owned-objects.ts";
import { mapBounded } from "./map-bounded.ts";
import { isJsonObject, parseJsonObject } from "./json-object.ts";
import { findOwned, ownerOf } from "./ownership.ts";

/** Look-ups of owners that one request may have under way. */
const CONCURRENCY = 8;

/**
 * Refuses a request that uses a file which is not the caller's (WeirError 404), wherever in its content the file stands.
 * Resolves with the name of the upstream that holds the files, to which the request then must go, or null when it uses
 * none. `body` is valid JSON of bounded depth. It is parsed: ask only where the scan says that it mentions files.
 */
export async function checkFileOwnership(
  body: Buffer,
  identity: Identity,
  objects: OwnedObjectStore,
): Promise<string | null> {
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
