import { isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";
import { BlockCollector, inputFields, inputJson } from "./block-collector.ts";
import type { ItemWriter, OutputItem, OutputList } from "./output-list.ts";
import { writeCarrier } from "./reasoning-writer.ts";

/** Writes a call that the upstream itself carries out; its item is complete when the result is there. */
export interface ServerCallWriter extends ItemWriter {
  /** Takes the block with the result, and completes the item. */
  finish(result: JsonObject): void;
}

/** Begins the id of a search call's item: what follows is the id of the tool use. */
export const SEARCH_ID_PREFIX = "ws_";

/**
 * Writes a search of the web, or the fetching of a page. The item tells what was searched; the pages that were found are
 * encrypted for the model alone, so a reasoning item after it brings call and result back in the next turn.
 */
export class SearchCallWriter implements ServerCallWriter {
  readonly #list: OutputList;
  readonly #item: OutputItem;
  readonly #collector: BlockCollector;
  readonly #sources: boolean;

  constructor(list: OutputList, block: JsonObject, { sources }: { sources: boolean }) {
    this.#list = list;
    this.#sources = sources;
    this.#collector = new BlockCollector(block);
    const id = `${SEARCH_ID_PREFIX}${String(block["id"])}`;
    const fields = { type: "web_search_call", status: "in_progress", action: { type: "search", query: "" } };
    this.#item = list.add("ws", fields, id);
    this.#tell("in_progress");
  }

  literal(): boolean {
    return false;
  }

  delta(delta: JsonObject): void {
    this.#collector.add(delta);
  }

  endBlock(): void {
    this.#item.fields["action"] = this.#action(null);
    this.#tell("searching");
  }

  finish(result: JsonObject): void {
    const failed = isObject(result["content"]) && String(result["content"]["type"]).endsWith("_error");
    this.#item.fields["action"] = this.#action(result["content"]);
    this.#item.fields["status"] = failed ? "failed" : "completed";
    this.#tell("completed");
    this.#list.done(this.#item);
    writeCarrier(this.#list, [this.#collector.block, result]);
  }

  /** Without its result: the answer ended before it came. */
  close(): void {
    this.#item.fields["status"] = "incomplete";
    this.#list.done(this.#item);
    writeCarrier(this.#list, [this.#collector.block]);
  }

  #action(content: unknown): JsonRecord {
    const { query, url } = inputFields(this.#collector);
    if (this.#collector.block["name"] === "web_fetch") return { type: "open_page", url: url ?? null };
    const text = typeof query === "string" ? query : "";
    const action: JsonRecord = { type: "search", query: text, queries: [text] };
    if (this.#sources && Array.isArray(content)) action["sources"] = content.filter(isObject).map(sourceOf);
    return action;
  }

  #tell(state: string): void {
    this.#list.tell(this.#item, `response.web_search_call.${state}`);
  }
}

function sourceOf(page: JsonObject): JsonRecord {
  return { type: "url", url: page["url"] };
}

/** Begins the id of an MCP call's item: what follows is the id of the tool use. */
export const MCP_ID_PREFIX = "mcp_";

/** Writes the call of a tool on an MCP server. The item holds call and result whole. */
export class McpCallWriter implements ServerCallWriter {
  readonly #list: OutputList;
  readonly #item: OutputItem;
  readonly #collector: BlockCollector;

  constructor(list: OutputList, block: JsonObject) {
    this.#list = list;
    this.#collector = new BlockCollector(block);
    const fields = {
      type: "mcp_call",
      status: "in_progress",
      approval_request_id: null,
      arguments: "",
      error: null,
      name: block["name"],
      output: null,
      server_label: block["server_name"],
    };
    this.#item = list.add("mcp", fields, `${MCP_ID_PREFIX}${String(block["id"])}`);
    this.#tell("response.mcp_call.in_progress");
  }

  literal(): boolean {
    return false;
  }

  delta(delta: JsonObject): void {
    this.#collector.add(delta);
    const piece = delta["type"] === "input_json_delta" ? delta["partial_json"] : "";
    if (typeof piece === "string" && piece !== "") this.#tell("response.mcp_call_arguments.delta", { delta: piece });
  }

  endBlock(): void {
    const text = inputJson(this.#collector);
    if (this.#collector.json === "") this.#tell("response.mcp_call_arguments.delta", { delta: text });
    this.#item.fields["arguments"] = text;
    this.#tell("response.mcp_call_arguments.done", { arguments: text });
  }

  finish(result: JsonObject): void {
    const failed = result["is_error"] === true;
    const text = textOf(result["content"]);
    this.#item.fields["status"] = failed ? "failed" : "completed";
    if (failed) this.#item.fields["error"] = { type: "mcp_tool_execution_error", content: [{ type: "text", text }] };
    else this.#item.fields["output"] = text;
    this.#tell(failed ? "response.mcp_call.failed" : "response.mcp_call.completed");
    this.#list.done(this.#item);
  }

  close(): void {
    this.#item.fields["status"] = "incomplete";
    this.#list.done(this.#item);
  }

  #tell(type: string, fields: JsonObject = {}): void {
    this.#list.tell(this.#item, type, fields);
  }
}

function textOf(content: unknown): string {
  if (typeof content === "string") return content;
  if (!Array.isArray(content)) return "";
  const texts = content.filter(isObject).map(({ text }) => text);
  return texts.filter((text) => typeof text === "string").join("\n");
}

/** Collects the block with a result, and gives it to the call that waits for it. */
export class ResultWriter implements ItemWriter {
  readonly #collector: BlockCollector;
  readonly #call: ServerCallWriter;

  constructor(call: ServerCallWriter, block: JsonObject) {
    this.#call = call;
    this.#collector = new BlockCollector(block);
  }

  literal(): boolean {
    return false;
  }

  delta(delta: JsonObject): void {
    this.#collector.add(delta);
  }

  endBlock(): void {
    this.#call.finish(this.#collector.block);
  }

  close(): void {
    // The call has an item, the result has none.
  }
}
