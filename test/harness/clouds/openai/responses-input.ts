import { textOf, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { checkedImageUrl, documentBlock, parsedArguments } from "./chat-messages.ts";
import { atMost, onlyMembers, oneOf, requiredList, requiredObject, requiredText } from "./check-members.ts";
import { imageBlock, type ConversationBuilder } from "./conversation-builder.ts";
import { notPossible, wrongShape } from "./openai-error.ts";
import { isOwnReasoning } from "./reasoning-seal.ts";

const ROLES = ["user", "assistant", "system", "developer"] as const;
const MAX_CALL_ID_LENGTH = 64;

/** Checks the items of a Responses request, pairs of calls and outputs included, and adds them to the conversation. */
export function addResponseItems(items: readonly unknown[], conversation: ConversationBuilder): void {
  const objects = items.map((item, index) => requiredObject(item, `input[${index}]`));
  const calls = new Set(textsOf(objects, "function_call"));
  const outputs = new Set(textsOf(objects, "function_call_output"));
  objects.forEach((item, index) => {
    const path = `input[${index}]`;
    switch (item["type"] ?? "message") {
      case "message":
        addMessage(item, path, conversation);
        return;
      case "function_call":
        addCall(item, path, { outputs, conversation });
        return;
      case "function_call_output":
        addOutput(item, path, { calls, conversation });
        return;
      case "reasoning":
        checkReasoning(item, path, objects[index + 1]);
        return;
      case "item_reference":
        throw notPossible(`Item with id '${textOf(item, "id")}' not found.`, "input");
      default:
        throw wrongShape(`Invalid value: '${String(item["type"])}'.`, `${path}.type`, "invalid_value");
    }
  });
}

function textsOf(items: readonly JsonObject[], type: string): readonly string[] {
  return items.filter((item) => item["type"] === type).map((item) => textOf(item, "call_id"));
}

function addMessage(item: JsonObject, path: string, conversation: ConversationBuilder): void {
  onlyMembers(item, ["type", "role", "content", "id", "status", "phase"], path);
  const role = oneOf(item["role"], ROLES, `${path}.role`);
  checkId(item, "msg", path);
  const { content } = item;
  const blocks =
    typeof content === "string"
      ? [{ type: "text", text: content }]
      : requiredList(content, `${path}.content`).map((part, at) => partBlock(part, role, `${path}.content[${at}]`));
  if (role === "user") conversation.user(blocks);
  else if (role === "assistant") conversation.assistant(blocks);
  else conversation.system(blocks.map((block) => textOf(block, "text")).join("\n"));
}

function partBlock(value: unknown, role: (typeof ROLES)[number], path: string): JsonObject {
  const part = requiredObject(value, path);
  if (role === "assistant") {
    const type = oneOf(part["type"], ["output_text", "refusal"], `${path}.type`);
    return { type: "text", text: requiredText(part, type === "refusal" ? "refusal" : "text", path) };
  }
  const type = oneOf(part["type"], ["input_text", "input_image", "input_file"], `${path}.type`);
  if (type === "input_text") return { type: "text", text: requiredText(part, "text", path) };
  if (type === "input_image") {
    if (typeof part["file_id"] === "string")
      throw notPossible(`No such File object: ${part["file_id"]}`, `${path}.file_id`);
    return imageBlock(checkedImageUrl(requiredText(part, "image_url", path), `${path}.image_url`));
  }
  const url = part["file_url"];
  return typeof url === "string" ? { type: "document", source: { type: "url", url } } : documentBlock(part, path);
}

function addCall(
  item: JsonObject,
  path: string,
  { outputs, conversation }: { outputs: ReadonlySet<string>; conversation: ConversationBuilder },
): void {
  onlyMembers(item, ["type", "id", "call_id", "name", "arguments", "status", "namespace", "caller", "async"], path);
  checkId(item, "fc", path);
  const id = requiredText(item, "call_id", path);
  atMost(id, MAX_CALL_ID_LENGTH, `${path}.call_id`);
  if (!outputs.has(id)) throw wrongShape(`No tool output found for function call ${id}.`, "input");
  const input = parsedArguments(requiredText(item, "arguments", path));
  conversation.assistant([{ type: "tool_use", id, name: requiredText(item, "name", path), input }]);
}

function addOutput(
  item: JsonObject,
  path: string,
  { calls, conversation }: { calls: ReadonlySet<string>; conversation: ConversationBuilder },
): void {
  onlyMembers(item, ["type", "id", "call_id", "output", "status"], path);
  const id = requiredText(item, "call_id", path);
  if (!calls.has(id)) throw wrongShape(`No tool call found for function call output with call_id ${id}.`, "input");
  const { output } = item;
  const content =
    typeof output === "string"
      ? output
      : requiredList(output, `${path}.output`).map((part, at) => partBlock(part, "user", `${path}.output[${at}]`));
  conversation.user([{ type: "tool_result", tool_use_id: id, content }]);
}

/** Reasoning goes back as it came: unchanged, and before the item that it led to. */
function checkReasoning(item: JsonObject, path: string, next: JsonObject | undefined): void {
  onlyMembers(item, ["type", "id", "summary", "content", "encrypted_content", "status"], path);
  checkId(item, "rs", path);
  requiredList(item["summary"], `${path}.summary`);
  const sealed = item["encrypted_content"];
  if (typeof sealed === "string" && !isOwnReasoning(sealed)) {
    throw wrongShape(
      `The encrypted content ${sealed.slice(0, 12)}... could not be verified.`,
      "input",
      "invalid_encrypted_content",
    );
  }
  const follows =
    next?.["type"] === "function_call" || next?.["type"] === "reasoning" || next?.["role"] === "assistant";
  if (follows) return;
  throw wrongShape(
    `Item '${textOf(item, "id")}' of type 'reasoning' was provided without its required following item.`,
    "input",
  );
}

function checkId(item: JsonObject, prefix: string, path: string): void {
  const id = item["id"];
  if (typeof id !== "string" || id.startsWith(`${prefix}_`)) return;
  throw wrongShape(
    `Invalid '${path}.id': '${id}'. Expected an ID that begins with '${prefix}'.`,
    `${path}.id`,
    "invalid_value",
  );
}
