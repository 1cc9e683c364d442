import type { Member } from "../json/json-scan.ts";
import { type BodyEdit, memberOf } from "./body-edit.ts";
import { findMembers, type FoundMember } from "./json-path.ts";

/** Blocks that cannot end a cached prefix. */
const NOT_CACHEABLE: ReadonlySet<string> = new Set(['"thinking"', '"redacted_thinking"']);

/**
 * `cache_control` at the top level asks for a breakpoint at the last block that can have one. The clouds take breakpoints
 * in blocks alone, so it is put there: same meaning, and same cache.
 */
export function placeCacheBreakpoint(body: Buffer, members: readonly Member[], edit: BodyEdit): void {
  const asked = memberOf(members, "cache_control");
  if (asked === undefined) return;
  edit.remove("cache_control");
  const json = body.toString("utf8", asked.valueStart, asked.valueEnd);
  const messages = memberOf(members, "messages");
  if (json === "null" || messages === undefined) return;
  const text = body.toString("latin1");
  const content = findMembers(text, { at: messages.valueStart, label: "messages", paths: [["*", "content"]] });
  const last = content.members.at(-1);
  if (last === undefined) return;
  if (text.charAt(last.valueStart) === '"') {
    edit.replace(last.valueStart, last.valueStart, '[{"type":"text","text":');
    edit.replace(last.valueEnd, last.valueEnd, `,"cache_control":${json}}]`);
    return;
  }
  const place = lastCacheable(text, last);
  if (place !== null) edit.replace(place, place, `,"cache_control":${json}`);
}

/** The offset after the type of the last block that can have a breakpoint; null when there is none, or it has one. */
function lastCacheable(text: string, content: FoundMember): number | null {
  const paths = [
    ["*", "type"],
    ["*", "cache_control"],
  ];
  const found = findMembers(text, { at: content.valueStart, label: "", paths }).members;
  const types = found.filter(({ path }) => path.endsWith("].type"));
  const block = types.findLast((type) => !NOT_CACHEABLE.has(text.slice(type.valueStart, type.valueEnd)));
  if (block === undefined) return null;
  const own = block.path.replace(/type$/, "cache_control");
  return found.some(({ path }) => path === own) ? null : block.valueEnd;
}
