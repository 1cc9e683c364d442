import type { WireWarning } from "../../codec.ts";
import { messagesToolId } from "../../openai/ids.ts";
import {
  expected,
  type JsonObject,
  type JsonRecord,
  objectAt,
  optionalString,
  optionalWord,
  pathOf,
  requiredString,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { inputOfArguments, isUnparsed } from "../../openai/tools.ts";
import { carriedBlocks, isCarrier } from "../block-carrier.ts";
import { thinkingBlocks } from "../target/answer-blocks.ts";
import { MCP_ID_PREFIX, SEARCH_ID_PREFIX } from "../output/server-call-writers.ts";
import { blocksOfContent, textBlocksOfContent } from "./content-parts.ts";
import type { Conversation } from "./conversation.ts";

const ROLES = ["user", "assistant", "system", "developer"] as const;

/** Reads `input` into a conversation. Throws WeirError naming the item that Messages cannot express. */
export function readInput(input: unknown, conversation: Conversation, warnings: WireWarning[]): void {
  if (typeof input === "string") {
    conversation.user(blocksOfContent(input, "input", warnings));
    return;
  }
  if (!Array.isArray(input)) throw expected("a string or an array", input, "input");
  const reader = new ItemReader(conversation, warnings);
  for (const [index, item] of input.entries()) {
    const path = `input[${index}]`;
    reader.read(objectAt(item, path), path);
  }
  reader.finish();
}

class ItemReader {
  readonly #conversation: Conversation;
  readonly #warnings: WireWarning[];
  /** Tool uses that reasoning items brought back whole. */
  readonly #carriedIds = new Set<unknown>();
  #movedSystem = false;
  /** Where search calls stand that wait for a reasoning item to bring them back, by the id of their tool use. */
  readonly #searches = new Map<string, string>();

  constructor(conversation: Conversation, warnings: WireWarning[]) {
    this.#conversation = conversation;
    this.#warnings = warnings;
  }

  read(item: JsonObject, path: string): void {
    const type = optionalString(item, "type", path) ?? ("role" in item ? "message" : "item_reference");
    switch (type) {
      case "message":
        this.#message(item, path);
        break;
      case "reasoning":
        this.#reasoning(item, path);
        break;
      case "function_call":
        this.#call(item, path, this.#input(item, path));
        break;
      case "custom_tool_call":
        this.#call(item, path, { input: requiredString(item, "input", path) });
        break;
      case "function_call_output":
      case "custom_tool_call_output":
        this.#output(item, path);
        break;
      case "mcp_call":
        this.#conversation.assistant(mcpBlocks(item, path));
        break;
      case "web_search_call":
        this.#searches.set(requiredString(item, "id", path).replace(SEARCH_ID_PREFIX, ""), path);
        break;
      case "mcp_list_tools":
        this.#warnings.push({ field: path, message: "was left out: the upstream lists the server's tools itself" });
        break;
      case "item_reference":
        throw unsupportedField(path, "Weir stores no items; send the item itself instead of a reference to it");
      default:
        throw unsupportedField(path, `items of type ${type} have no counterpart in Messages`);
    }
  }

  finish(): void {
    for (const [id, path] of this.#searches) {
      if (this.#carriedIds.has(id)) continue;
      const message = "was left out: without the reasoning item that came with it the pages found are not known";
      this.#warnings.push({ field: path, message });
    }
  }

  #message(item: JsonObject, path: string): void {
    const role = optionalWord(item, "role", { path, words: ROLES });
    const contentPath = pathOf(path, "content");
    if (role === "user") this.#conversation.user(blocksOfContent(item["content"], contentPath, this.#warnings));
    else if (role === undefined) throw expected("a role", item["role"], pathOf(path, "role"));
    else {
      const blocks = textBlocksOfContent(item["content"], contentPath, this.#warnings);
      if (role === "assistant") this.#conversation.assistant(blocks);
      else this.#system(blocks, path);
    }
  }

  /** Messages has instructions at the beginning; in between only some models take them, under further conditions. */
  #system(blocks: readonly JsonRecord[], path: string): void {
    if (this.#conversation.turns.length > 0 && !this.#movedSystem) {
      this.#movedSystem = true;
      this.#warnings.push({ field: path, message: "was moved to the system prompt at the beginning" });
    }
    this.#conversation.system.push(...blocks);
  }

  #reasoning(item: JsonObject, path: string): void {
    const content = optionalString(item, "encrypted_content", path);
    if (content === undefined) {
      const message = "was left out: reasoning without its encrypted_content cannot be given back to the model";
      this.#warnings.push({ field: path, message });
      return;
    }
    const blocks = carriedBlocks(content) ?? foreignReasoning(item, content, path);
    for (const { id } of blocks) this.#carriedIds.add(id);
    this.#conversation.assistant(blocks.map((block) => ({ ...block })));
  }

  #input(item: JsonObject, path: string): JsonObject {
    const input = inputOfArguments(requiredString(item, "arguments", path));
    if (isUnparsed(input)) {
      const message = "is not the JSON text of an object; it was sent as input.unparsed_arguments";
      this.#warnings.push({ field: pathOf(path, "arguments"), message });
    }
    return input;
  }

  #call(item: JsonObject, path: string, input: JsonObject): void {
    refuseNamespace(item, path);
    const id = messagesToolId(requiredString(item, "call_id", path));
    this.#conversation.assistant([{ type: "tool_use", id, name: requiredString(item, "name", path), input }]);
  }

  #output(item: JsonObject, path: string): void {
    const id = messagesToolId(requiredString(item, "call_id", path));
    const { output } = item;
    const content =
      typeof output === "string" ? output : blocksOfContent(output, pathOf(path, "output"), this.#warnings);
    this.#conversation.toolResult({ type: "tool_result", tool_use_id: id, content });
  }
}

/**
 * Reasoning that another provider encrypted, as its upstream's answers put it into Messages: that upstream gets it back,
 * Claude does not.
 */
function foreignReasoning(item: JsonObject, content: string, path: string): JsonObject[] {
  if (isCarrier(content)) {
    const advice = "is damaged, or was written by a newer version of Weir; leave this reasoning item out";
    throw unsupportedField(pathOf(path, "encrypted_content"), advice);
  }
  return thinkingBlocks(item);
}

function refuseNamespace(item: JsonObject, path: string): void {
  const namespace = optionalString(item, "namespace", path);
  if (namespace === undefined) return;
  throw unsupportedField(pathOf(path, "namespace"), "Messages has no namespaces of tools; name the tool itself");
}

/** An MCP call as the upstream's own blocks: call and result in one item. */
function mcpBlocks(item: JsonObject, path: string): JsonRecord[] {
  const id = messagesToolId(requiredString(item, "id", path).replace(MCP_ID_PREFIX, ""));
  const use = {
    type: "mcp_tool_use",
    id,
    name: requiredString(item, "name", path),
    server_name: requiredString(item, "server_label", path),
    input: inputOfArguments(requiredString(item, "arguments", path)),
  };
  const failed = item["error"] !== undefined && item["error"] !== null;
  const text = failed ? JSON.stringify(item["error"]) : (optionalString(item, "output", path) ?? "");
  const content = text === "" ? [] : [{ type: "text", text }];
  return [use, { type: "mcp_tool_result", tool_use_id: id, is_error: failed, content }];
}
