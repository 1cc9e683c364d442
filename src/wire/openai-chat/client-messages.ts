import {
  type JsonObject,
  type JsonRecord,
  invalidField,
  isObject,
  objectAt,
  optionalArray,
  optionalObject,
  optionalString,
  quoted,
  requiredArray,
  requiredObject,
  requiredString,
  unsupportedField,
} from "../openai/json-reader.ts";
import { messagesToolId } from "../openai/ids.ts";
import { inputOfArguments, isUnparsed } from "../openai/tools.ts";
import { type Gathered, blocksOf } from "./client-parts.ts";

export interface Conversation {
  /** Text blocks for `system`. */
  readonly system: readonly JsonRecord[];
  readonly messages: readonly JsonRecord[];
}

/** `messages` of a Chat Completions request as Messages' `system` and turns. */
export function conversationOf(body: JsonObject, gathered: Gathered): Conversation {
  const list = requiredArray(body, "messages", "");
  const reader = new ConversationReader(gathered);
  for (let i = 0; i < list.length; i++) {
    const path = `messages[${i}]`;
    reader.take(objectAt(list[i], path), path);
  }
  return reader;
}

class ConversationReader implements Conversation {
  readonly system: JsonRecord[] = [];
  readonly messages: JsonRecord[] = [];
  readonly #gathered: Gathered;
  /** The user turn that tool results are being gathered in; what the user says next joins it. */
  #results: JsonRecord[] | null = null;
  /** Calls in the style before `tool_calls`, which have no ids: ids made for them. */
  #legacyCalls = 0;
  #movedSystem = false;
  #namesLeftOut = false;

  constructor(gathered: Gathered) {
    this.#gathered = gathered;
  }

  take(message: JsonObject, path: string): void {
    const role = requiredString(message, "role", path);
    if (role !== "tool" && typeof message["name"] === "string") this.#nameLeftOut(role, path);
    switch (role) {
      case "system":
      case "developer":
        return this.#system(message, path);
      case "user":
        return this.#user(message, path);
      case "assistant":
        return this.#assistant(message, path);
      case "tool":
        return this.#toolResult(message, requiredString(message, "tool_call_id", path), path);
      case "function":
        return this.#toolResult(message, this.#legacyId(), path);
      default:
        throw invalidField(
          `${path}.role`,
          `expected developer, system, user, assistant, tool or function, got ${quoted(role)}`,
        );
    }
  }

  /** Messages has system text at the beginning; in between only some models take it, under further conditions. */
  #system(message: JsonObject, path: string): void {
    if (this.messages.length > 0 && !this.#movedSystem) {
      this.#movedSystem = true;
      this.#gathered.warnings.push({ field: path, message: "was moved to the system prompt at the beginning" });
    }
    this.system.push(...blocksOf(message["content"], `${path}.content`, this.#gathered));
  }

  #user(message: JsonObject, path: string): void {
    const blocks = blocksOf(message["content"], `${path}.content`, this.#gathered);
    if (this.#results !== null) {
      this.#results.push(...blocks);
      this.#results = null;
      return;
    }
    this.messages.push({ role: "user", content: plain(blocks) });
  }

  #assistant(message: JsonObject, path: string): void {
    this.#results = null;
    if (isObject(message["audio"])) throw unsupportedField(`${path}.audio`, "audio is not taken by Messages");
    const refusal = optionalString(message, "refusal", path);
    const blocks = [
      ...this.#thinking(message, path),
      ...(optionalArray(message, "server_tool_blocks", path) ?? []).map((block, i) =>
        objectAt(block, `${path}.server_tool_blocks[${i}]`),
      ),
      ...blocksOf(message["content"], `${path}.content`, this.#gathered),
      ...(refusal === undefined || refusal === "" ? [] : [{ type: "text", text: refusal }]),
      ...this.#toolCalls(message, path),
    ];
    if (blocks.length > 0) this.messages.push({ role: "assistant", content: plain(blocks) });
  }

  /** Thinking blocks as an answer of Weir (and of other gateways) gave them, signatures and all. */
  #thinking(message: JsonObject, path: string): readonly JsonObject[] {
    const blocks = optionalArray(message, "thinking_blocks", path);
    if (blocks !== undefined) return blocks.map((block, i) => objectAt(block, `${path}.thinking_blocks[${i}]`));
    if (typeof message["reasoning_content"] === "string" && message["reasoning_content"] !== "") {
      const advice = "send thinking_blocks back as they came to keep the thinking";
      this.#gathered.warnings.push({
        field: `${path}.reasoning_content`,
        message: `has no signature and was left out; ${advice}`,
      });
    }
    return [];
  }

  #toolCalls(message: JsonObject, path: string): JsonRecord[] {
    const calls = (optionalArray(message, "tool_calls", path) ?? []).map((call, i) => {
      const at = `${path}.tool_calls[${i}]`;
      return this.#toolCall(objectAt(call, at), at);
    });
    const legacy = optionalObject(message, "function_call", path);
    if (legacy !== undefined) {
      this.#legacyCalls++;
      calls.push(this.#toolUse(legacy, this.#legacyId(), `${path}.function_call`));
    }
    return calls;
  }

  #toolCall(call: JsonObject, path: string): JsonRecord {
    if (call["type"] === "custom") {
      throw unsupportedField(`${path}.type`, "calls of custom tools are not known to Messages");
    }
    const use = this.#toolUse(
      requiredObject(call, "function", path),
      requiredString(call, "id", path),
      `${path}.function`,
    );
    return call["cache_control"] === undefined ? use : { ...use, cache_control: call["cache_control"] };
  }

  #toolUse(fn: JsonObject, id: string, path: string): JsonRecord {
    const input = inputOfArguments(optionalString(fn, "arguments", path) ?? "");
    if (isUnparsed(input)) {
      const message = "is not the JSON text of an object; it was sent as input.unparsed_arguments";
      this.#gathered.warnings.push({ field: `${path}.arguments`, message });
    }
    return { type: "tool_use", id: messagesToolId(id), name: requiredString(fn, "name", path), input };
  }

  #toolResult(message: JsonObject, id: string, path: string): void {
    if (this.#results === null) {
      this.#results = [];
      this.messages.push({ role: "user", content: this.#results });
    }
    const blocks = blocksOf(message["content"], `${path}.content`, this.#gathered);
    const { cache_control, is_error } = message;
    this.#results.push({
      type: "tool_result",
      tool_use_id: messagesToolId(id),
      content: plain(blocks),
      ...(is_error === true ? { is_error } : {}),
      ...(cache_control === undefined ? {} : { cache_control }),
    });
  }

  #legacyId(): string {
    return `call_function_${this.#legacyCalls}`;
  }

  #nameLeftOut(role: string, path: string): void {
    if (this.#namesLeftOut || role === "function") return;
    this.#namesLeftOut = true;
    const message = "is not known to Messages and was left out; put names into the text";
    this.#gathered.warnings.push({ field: `${path}.name`, message });
  }
}

/** One text without extras is a string, as people write it; else the blocks. */
function plain(blocks: readonly JsonObject[]): string | readonly JsonObject[] {
  const [first] = blocks;
  if (first === undefined) return "";
  const { type, text } = first;
  const bare = type === "text" && typeof text === "string" && Object.keys(first).length === 2;
  return blocks.length === 1 && bare ? text : blocks;
}
