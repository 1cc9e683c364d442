import type { WireWarning } from "../../codec.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  objectAt,
  pathOf,
  requiredArray,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { argumentsOfInput } from "../../openai/tools.ts";
import { carriedReasoning } from "../block-carrier.ts";
import { partsOfBlock, partsOfContent } from "./target-content.ts";

/** Turns a Messages conversation into input items. Throws WeirError naming the block that Responses cannot express. */
export function inputItems(body: JsonObject, warnings: WireWarning[]): readonly JsonRecord[] {
  const writer = new ItemWriter(warnings);
  for (const [index, message] of requiredArray(body, "messages", "").entries()) {
    const path = `messages[${index}]`;
    writer.message(objectAt(message, path), path);
  }
  return writer.items;
}

class ItemWriter {
  readonly items: JsonRecord[] = [];
  readonly #warnings: WireWarning[];
  /** Kinds of blocks that were left out, to say so once. */
  readonly #leftOut = new Set<string>();

  constructor(warnings: WireWarning[]) {
    this.#warnings = warnings;
  }

  message(message: JsonObject, path: string): void {
    const { role, content } = message;
    const contentPath = pathOf(path, "content");
    if (role === "assistant") this.#assistant(content, contentPath);
    else if (role === "user") this.#user(content, contentPath);
    else if (role === "system") this.#add("developer", partsOfContent(content, contentPath));
    else throw unsupportedField(pathOf(path, "role"), `${String(role)} is not known to Responses`);
  }

  #user(content: unknown, path: string): void {
    if (!Array.isArray(content)) {
      this.#add("user", partsOfContent(content, path));
      return;
    }
    let rest: JsonRecord[] = [];
    for (const [index, value] of content.entries()) {
      const blockPath = `${path}[${index}]`;
      const block = objectAt(value, blockPath);
      if (block["type"] === "tool_result") {
        this.#add("user", rest);
        rest = [];
        this.items.push(toolOutput(block, blockPath));
      } else rest.push(...partsOfBlock(block, blockPath));
    }
    this.#add("user", rest);
  }

  #assistant(content: unknown, path: string): void {
    if (!Array.isArray(content)) {
      if (typeof content === "string" && content !== "") this.#add("assistant", [outputText(content)]);
      return;
    }
    let texts: JsonRecord[] = [];
    for (const [index, value] of content.entries()) {
      const blockPath = `${path}[${index}]`;
      const block = objectAt(value, blockPath);
      if (block["type"] === "text") {
        if (block["text"] !== "") texts.push(outputText(String(block["text"])));
        if (Array.isArray(block["citations"]) && block["citations"].length > 0) {
          this.#leave(pathOf(blockPath, "citations"), "citations", "of an earlier answer were left out");
        }
        continue;
      }
      this.#add("assistant", texts);
      texts = [];
      this.#other(block, blockPath);
    }
    this.#add("assistant", texts);
  }

  #other(block: JsonObject, path: string): void {
    const { type, id, name, input } = block;
    switch (type) {
      case "tool_use":
        this.items.push({ type: "function_call", call_id: id, name, arguments: argumentsOfInput(input) });
        break;
      case "thinking":
        this.#thinking(block, path);
        break;
      case "redacted_thinking":
        this.#leave(path, "redacted thinking", "was left out: only Claude can read it");
        break;
      case "server_tool_use":
      case "web_search_tool_result":
      case "web_fetch_tool_result":
        this.#leave(path, "searches", "was left out: what Claude found is encrypted for Claude");
        break;
      case "mcp_tool_use":
        this.items.push({
          type: "mcp_call",
          id,
          server_label: block["server_name"],
          name,
          arguments: argumentsOfInput(input),
        });
        break;
      case "mcp_tool_result":
        this.#mcpResult(block, path);
        break;
      case "compaction":
        this.#compaction(block, path);
        break;
      default:
        throw unsupportedField(path, `content of type ${String(type)} has no counterpart in Responses`);
    }
  }

  #thinking({ thinking, signature }: JsonObject, path: string): void {
    const encrypted = typeof signature === "string" ? carriedReasoning(signature) : null;
    if (encrypted === null) {
      this.#leave(path, "thinking", "was left out: it was signed by another model, which alone can use it");
      return;
    }
    const summary = thinking === "" ? [] : [{ type: "summary_text", text: thinking }];
    // Without its id: nothing is stored under it, and Azure refuses ids of what is not stored.
    this.items.push({ type: "reasoning", summary, encrypted_content: encrypted });
  }

  /** A call and its result are one item in Responses. */
  #mcpResult(block: JsonObject, path: string): void {
    const call = this.items.findLast(({ type, id }) => type === "mcp_call" && id === block["tool_use_id"]);
    if (call === undefined) throw unsupportedField(path, "the result of an MCP call without the call");
    const text = textOf(partsOfContent(block["content"], pathOf(path, "content")));
    if (block["is_error"] === true) call["error"] = { type: "mcp_tool_execution_error", content: text };
    else call["output"] = text;
  }

  /** What came before a compaction stands in its text. */
  #compaction({ content }: JsonObject, path: string): void {
    if (typeof content !== "string") {
      throw unsupportedField(path, "an encrypted compaction can be read by Claude alone");
    }
    this.#add("user", [{ type: "input_text", text: content }]);
  }

  #add(role: string, content: readonly JsonRecord[]): void {
    if (content.length > 0) this.items.push({ type: "message", role, content });
  }

  #leave(path: string, kind: string, message: string): void {
    if (this.#leftOut.has(kind)) return;
    this.#leftOut.add(kind);
    this.#warnings.push({ field: path, message });
  }
}

function outputText(text: string): JsonRecord {
  return { type: "output_text", text };
}

function toolOutput(block: JsonObject, path: string): JsonRecord {
  const parts = partsOfContent(block["content"], pathOf(path, "content"));
  if (block["is_error"] === true) markAsError(parts);
  const plain = parts.every(({ type }) => type === "input_text");
  return { type: "function_call_output", call_id: block["tool_use_id"], output: plain ? textOf(parts) : parts };
}

/** Responses has no mark for a tool's failure: the text itself must say so. */
function markAsError(parts: JsonRecord[]): void {
  const [first] = parts;
  const text = first?.["type"] === "input_text" ? String(first["text"]) : null;
  if (first === undefined || text === null) parts.unshift({ type: "input_text", text: "Error" });
  else if (!/^\W*(?:error|failed|failure)/i.test(text)) first["text"] = `Error: ${text}`;
}

function textOf(parts: readonly JsonRecord[]): string {
  return parts
    .filter(({ text }) => typeof text === "string")
    .map(({ text }) => text)
    .join("\n");
}

/** Whether a request marks prefixes for a cache, anywhere. */
export function hasCacheMarks(body: JsonObject): boolean {
  return isObject(body["cache_control"]) || listsOf(body).some((block) => isObject(block["cache_control"]));
}

function listsOf(body: JsonObject): JsonObject[] {
  const messages = Array.isArray(body["messages"]) ? body["messages"].filter(isObject) : [];
  const contents = messages.map(({ content }) => content);
  return [body["system"], body["tools"], ...contents].flatMap((list) =>
    Array.isArray(list) ? list.filter(isObject) : [],
  );
}
