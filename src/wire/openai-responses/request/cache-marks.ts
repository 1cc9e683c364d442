import type { WireWarning } from "../../codec.ts";
import {
  type JsonObject,
  type JsonRecord,
  optionalObject,
  optionalString,
  optionalWord,
  pathOf,
} from "../../openai/json-reader.ts";
import type { Conversation } from "./conversation.ts";

const TTLS = ["30m", "12h"] as const;
/** Messages takes four marks in a request. */
const MOST_MARKS = 4;

/**
 * The `cache_control` member of a block whose part marks the end of a reusable prefix; empty without a mark. A part may also
 * have Messages' own `cache_control`, which goes over as it is.
 */
export function cacheMark(part: JsonObject, path: string, warnings: WireWarning[]): JsonRecord {
  const own = optionalObject(part, "cache_control", path);
  if (own !== undefined) return { cache_control: own };
  const breakpoint = optionalObject(part, "prompt_cache_breakpoint", path);
  if (breakpoint === undefined) return {};
  const field = pathOf(path, "prompt_cache_breakpoint");
  const ttl = optionalWord(breakpoint, "ttl", { path: field, words: TTLS });
  return { cache_control: cacheControl(ttl, pathOf(field, "ttl"), warnings) };
}

/** Lifetimes are least ones: an hour for half of one. Twelve hours no Messages upstream has. */
function cacheControl(ttl: string | undefined, field: string, warnings: WireWarning[]): JsonRecord {
  if (ttl === undefined) return { type: "ephemeral" };
  if (ttl !== "30m")
    warnings.push({ field, message: "is longer than Messages keeps a prefix; one hour was asked for" });
  return { type: "ephemeral", ttl: "1h" };
}

/**
 * Marks the end of the instructions and of the conversation, when the client asks for caching by `prompt_cache_key` or by
 * `prompt_cache_options`. OpenAI caches by itself; Messages wants to be told where.
 */
export function markImplicitly(body: JsonObject, { system, turns }: Conversation, warnings: WireWarning[]): void {
  const options = optionalObject(body, "prompt_cache_options", "");
  const retention = optionalString(body, "prompt_cache_retention", "");
  const asked = optionalString(body, "prompt_cache_key", "") !== undefined || options !== undefined;
  if (!asked || options?.["mode"] === "explicit") return;
  const path = "prompt_cache_options";
  const ttl = options === undefined ? undefined : optionalWord(options, "ttl", { path, words: TTLS });
  const mark =
    retention === "24h"
      ? cacheControl("12h", "prompt_cache_retention", warnings)
      : cacheControl(ttl, `${path}.ttl`, warnings);
  const blocks = [...system, ...turns.flatMap(({ content }) => content)];
  let left = MOST_MARKS - blocks.filter((block) => "cache_control" in block).length;
  for (const block of [lastMarkable(turns.at(-1)?.content ?? []), lastMarkable(system)]) {
    if (block === undefined || "cache_control" in block || left <= 0) continue;
    block["cache_control"] = mark;
    left--;
  }
}

/** Thinking, and what was carried through, takes no mark. */
const MARKABLE: ReadonlySet<unknown> = new Set(["text", "image", "document", "tool_result", "tool_use"]);

function lastMarkable(blocks: readonly JsonRecord[]): JsonRecord | undefined {
  return blocks.findLast(({ type }) => MARKABLE.has(type));
}
