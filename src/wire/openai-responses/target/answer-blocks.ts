import { isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";
import { inputOfArguments } from "../../openai/tools.ts";
import { UNSIGNED } from "../../openai-chat/unsigned-thinking.ts";
import { carryReasoning } from "../block-carrier.ts";

/** The content blocks that an output item makes; none for one that a Messages client has no use for. */
export function blocksOfItem(item: JsonObject): JsonRecord[] {
  switch (item["type"]) {
    case "message":
      return list(item["content"]).flatMap(textBlocks);
    case "reasoning":
      return thinkingBlocks(item);
    case "function_call": {
      const { call_id: id, name, arguments: text } = item;
      return [{ type: "tool_use", id, name, input: inputOfArguments(typeof text === "string" ? text : "") }];
    }
    case "web_search_call":
      return searchBlocks(item);
    case "mcp_call":
      return mcpBlocks(item);
    default:
      return [];
  }
}

function textBlocks(part: JsonObject): JsonRecord[] {
  const { type, text } = part;
  if (type !== "output_text" || typeof text !== "string") return [];
  const citations = list(part["annotations"]).flatMap((annotation) => citationsOf(annotation, text));
  return [{ type: "text", text, ...(citations.length > 0 ? { citations } : {}) }];
}

/** The Messages citation that an annotation makes; none for one that is not about a web page. */
export function citationsOf(annotation: JsonObject, text: string): JsonRecord[] {
  const { type, url, title, start_index: start, end_index: end } = annotation;
  if (type !== "url_citation" || typeof url !== "string") return [];
  const cited = typeof start === "number" && typeof end === "number" ? text.slice(start, end) : "";
  return [
    {
      type: "web_search_result_location",
      url,
      title: typeof title === "string" ? title : null,
      cited_text: cited,
      encrypted_index: "",
    },
  ];
}

/** What a reasoning item says in words: its summaries, else the reasoning itself where the model shows it. */
function thinkingText(item: JsonObject): string {
  const summaries = list(item["summary"]);
  const parts = summaries.length > 0 ? summaries : list(item["content"]);
  return parts.map(({ text }) => (typeof text === "string" ? text : "")).join(SUMMARY_BREAK);
}

/** Between the parts of a summary. */
export const SUMMARY_BREAK = "\n\n";

/** The signature of a thinking block for a reasoning item: what it has to give back, or that there is nothing. */
export function signatureOf(item: JsonObject): string {
  const { encrypted_content: content } = item;
  return typeof content === "string" && content !== "" ? carryReasoning(content) : UNSIGNED;
}

/** The thinking that a reasoning item makes; none where it neither says anything nor has anything to give back. */
export function thinkingBlocks(item: JsonObject): JsonRecord[] {
  const thinking = thinkingText(item);
  const signature = signatureOf(item);
  return thinking === "" && signature === UNSIGNED ? [] : [{ type: "thinking", thinking, signature }];
}

/** A search as the Messages API tells of its own: the call, and the pages found without their content. */
export function searchBlocks(item: JsonObject): JsonRecord[] {
  const id = `srvtoolu_${String(item["id"])}`;
  const action: JsonObject = isObject(item["action"]) ? item["action"] : {};
  const failed = item["status"] === "failed";
  const pages = list(action["sources"]).map(({ url }) => pageOf(url));
  return [
    { type: "server_tool_use", id, name: "web_search", input: { query: queryOf(action) } },
    {
      type: "web_search_tool_result",
      tool_use_id: id,
      content: failed ? { type: "web_search_tool_result_error", error_code: "unavailable" } : pages,
    },
  ];
}

function queryOf(action: JsonObject): string {
  const { query, queries, url, pattern } = action;
  if (typeof query === "string" && query !== "") return query;
  if (Array.isArray(queries)) return queries.join("; ");
  return [pattern, url].filter((text) => typeof text === "string").join(" ");
}

function pageOf(url: unknown): JsonRecord {
  return { type: "web_search_result", url, title: url, encrypted_content: "", page_age: null };
}

/** The call of an MCP server's tool, and its result. */
export function mcpBlocks(item: JsonObject): JsonRecord[] {
  const { id, name, server_label: server, arguments: text, error, output } = item;
  const failed = error !== undefined && error !== null;
  const result = failed ? JSON.stringify(error) : typeof output === "string" ? output : "";
  return [
    {
      type: "mcp_tool_use",
      id,
      name,
      server_name: server,
      input: inputOfArguments(typeof text === "string" ? text : ""),
    },
    { type: "mcp_tool_result", tool_use_id: id, is_error: failed, content: [{ type: "text", text: result }] },
  ];
}

/** Why a message's refusal parts say that the model declined; null when there are none. */
export function refusalOf(item: JsonObject): string | null {
  if (item["type"] !== "message") return null;
  const texts = list(item["content"]).filter(({ type }) => type === "refusal");
  return texts.length === 0 ? null : texts.map(({ refusal }) => String(refusal)).join("");
}

function list(value: unknown): readonly JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
