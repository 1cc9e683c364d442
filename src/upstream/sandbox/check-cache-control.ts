import { invalid } from "./api-error.ts";
import { isObject, textOf, type JsonObject } from "./json-value.ts";
import type { CacheTtl, MessageRequest } from "./message-request.ts";

const MAX_BREAKPOINTS = 4;

/** The TTL of a `cache_control` value, 5 minutes by default; null when there is none. Throws a 400 ApiError. */
export function readCacheTtl(value: unknown, at: string): CacheTtl | null {
  if (value === undefined || value === null) return null;
  if (!isObject(value)) throw invalid(`${at}: Input should be a valid dictionary`);
  if (value["type"] !== "ephemeral") throw invalid(`${at}.type: Input should be 'ephemeral'`);
  const ttl = value["ttl"] ?? "5m";
  if (ttl !== "5m" && ttl !== "1h") throw invalid(`${at}.ttl: Input should be '5m' or '1h'`);
  return ttl;
}

/** Checks number, order and places of all cache breakpoints of a request. Throws a 400 ApiError. */
export function checkCacheControl(request: MessageRequest): void {
  const marks: { readonly at: string; readonly ttl: CacheTtl }[] = [];
  const look = (block: JsonObject, at: string): void => {
    const ttl = readCacheTtl(block["cache_control"], `${at}.cache_control`);
    if (ttl === null) return;
    if (block["type"] === "text" && textOf(block, "text") === "") {
      throw invalid(`${at}.cache_control: cache_control cannot be set for empty text blocks`);
    }
    if (block["type"] === "thinking" || block["type"] === "redacted_thinking") {
      throw invalid(`${at}.cache_control: Extra inputs are not permitted`);
    }
    marks.push({ at, ttl });
  };
  request.tools.forEach((tool, index) => look(tool, `tools.${index}`));
  request.system.forEach((block, index) => look(block, `system.${index}`));
  request.turns.forEach((turn, index) => {
    turn.blocks.forEach((block, at) => look(block, `messages.${index}.content.${at}`));
  });
  const found = marks.length + (request.automaticCacheTtl === null ? 0 : 1);
  if (found > MAX_BREAKPOINTS) {
    throw invalid(`A maximum of ${MAX_BREAKPOINTS} blocks with cache_control may be provided. Found ${found}.`);
  }
  const late = marks.find((mark, index) => mark.ttl === "1h" && marks[index - 1]?.ttl === "5m");
  if (late === undefined) return;
  throw invalid(
    `${late.at}.cache_control.ttl: a ttl='1h' cache_control block must not come after a ttl='5m' cache_control block. ` +
      "Note that blocks are processed in the following order: `tools`, `system`, `messages`.",
  );
}
