import { isObject, textOf, type JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { atMost, onlyMembers, oneOf, requiredList, requiredObject, requiredText } from "./check-members.ts";
import { imageBlock, type ConversationBuilder } from "./conversation-builder.ts";
import { notPossible, wrongShape } from "./openai-error.ts";

const ROLES = ["system", "developer", "user", "assistant", "tool"] as const;
const MEMBERS: Readonly<Record<(typeof ROLES)[number], readonly string[]>> = {
  system: ["role", "content", "name"],
  developer: ["role", "content", "name"],
  user: ["role", "content", "name"],
  assistant: ["role", "content", "name", "refusal", "audio", "tool_calls", "annotations"],
  tool: ["role", "content", "tool_call_id"],
};
/** OpenAI's limit for ids of tool calls. */
const MAX_ID_LENGTH = 40;

/** Checks messages as OpenAI does, tool calls and their results included, and adds them to the conversation. */
export function addChatMessages(
  messages: readonly unknown[],
  conversation: ConversationBuilder,
  takesReasoning: boolean,
): void {
  if (messages.length === 0) {
    throw wrongShape(
      "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.",
      "messages",
      "empty_array",
    );
  }
  let open = new Set<string>();
  messages.forEach((value, index) => {
    const path = `messages[${index}]`;
    const message = requiredObject(value, path);
    const role = oneOf(message["role"], ROLES, `${path}.role`);
    const extra = takesReasoning && role === "assistant" ? ["reasoning_content", "reasoning"] : [];
    onlyMembers(message, [...MEMBERS[role], ...extra], path);
    if (role !== "tool") requireAnswered(open, path);
    switch (role) {
      case "system":
      case "developer":
        conversation.system(plainText(message["content"], `${path}.content`));
        return;
      case "user":
        conversation.user(userBlocks(message["content"], `${path}.content`));
        return;
      case "assistant":
        open = addAssistant(message, path, conversation);
        return;
      case "tool":
        addToolResult(message, { path, open, conversation });
    }
  });
  requireAnswered(open, `messages[${messages.length}]`);
}

function requireAnswered(open: ReadonlySet<string>, path: string): void {
  if (open.size === 0) return;
  const message = `An assistant message with 'tool_calls' must be followed by tool messages responding to each 'tool_call_id'. The following tool_call_ids did not have response messages: ${[...open].join(", ")}`;
  throw wrongShape(message, `${path}.role`);
}

function addAssistant(message: JsonObject, path: string, conversation: ConversationBuilder): Set<string> {
  const { content, tool_calls: calls, refusal } = message;
  const text = content === undefined || content === null ? "" : assistantText(content, `${path}.content`);
  const hasCalls = calls !== undefined && calls !== null;
  if (!hasCalls && (content === undefined || content === null) && typeof refusal !== "string") {
    throw wrongShape(`Invalid value for 'content': expected a string, got null.`, `${path}.content`);
  }
  const uses = hasCalls
    ? requiredList(calls, `${path}.tool_calls`).map((call, at) => toolUse(call, `${path}.tool_calls[${at}]`))
    : [];
  if (hasCalls && uses.length === 0) {
    throw wrongShape(
      `Invalid '${path}.tool_calls': empty array. Expected an array with minimum length 1, but got an empty array instead.`,
      `${path}.tool_calls`,
      "empty_array",
    );
  }
  const ids = uses.map((use) => textOf(use, "id"));
  if (new Set(ids).size !== ids.length) throw wrongShape("Duplicate value for 'tool_call_id'", `${path}.tool_calls`);
  conversation.assistant([{ type: "text", text }, ...uses]);
  return new Set(ids);
}

function toolUse(value: unknown, path: string): JsonObject {
  const call = requiredObject(value, path);
  onlyMembers(call, ["id", "type", "function"], path);
  const id = requiredText(call, "id", path);
  atMost(id, MAX_ID_LENGTH, `${path}.id`);
  oneOf(call["type"], ["function"], `${path}.type`);
  const fn = requiredObject(call["function"], `${path}.function`);
  onlyMembers(fn, ["name", "arguments"], `${path}.function`);
  const name = requiredText(fn, "name", `${path}.function`);
  return { type: "tool_use", id, name, input: parsedArguments(requiredText(fn, "arguments", `${path}.function`)) };
}

/** OpenAI takes any text as arguments; the engine takes objects. */
export function parsedArguments(text: string): JsonObject {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : {};
  } catch {
    return {};
  }
}

function addToolResult(
  message: JsonObject,
  { path, open, conversation }: { path: string; open: Set<string>; conversation: ConversationBuilder },
): void {
  const id = requiredText(message, "tool_call_id", path);
  if (!open.delete(id)) {
    const text = `Invalid parameter: messages with role 'tool' must be a response to a preceeding message with 'tool_calls'.`;
    throw wrongShape(text, `${path}.role`);
  }
  conversation.user([
    { type: "tool_result", tool_use_id: id, content: plainText(message["content"], `${path}.content`) },
  ]);
}

/** Text, or a list of text parts. */
function plainText(content: unknown, path: string): string {
  if (typeof content === "string") return content;
  return requiredList(content, path)
    .map((value, index) => {
      const part = requiredObject(value, `${path}[${index}]`);
      oneOf(part["type"], ["text"], `${path}[${index}].type`);
      return requiredText(part, "text", `${path}[${index}]`);
    })
    .join("\n");
}

function assistantText(content: unknown, path: string): string {
  if (typeof content === "string") return content;
  return requiredList(content, path)
    .map((value, index) => {
      const part = requiredObject(value, `${path}[${index}]`);
      const type = oneOf(part["type"], ["text", "refusal"], `${path}[${index}].type`);
      return requiredText(part, type, `${path}[${index}]`);
    })
    .join("\n");
}

function userBlocks(content: unknown, path: string): JsonObject[] {
  if (typeof content === "string") return [{ type: "text", text: content }];
  return requiredList(content, path).map((value, index) => {
    const at = `${path}[${index}]`;
    const part = requiredObject(value, at);
    const type = oneOf(part["type"], ["text", "image_url", "input_audio", "file"], `${at}.type`);
    if (type === "text") {
      onlyMembers(part, ["type", "text"], at);
      return { type: "text", text: requiredText(part, "text", at) };
    }
    if (type === "input_audio") throw notPossible("This model does not support audio.", `${at}.type`);
    onlyMembers(part, ["type", type], at);
    const inner = requiredObject(part[type], `${at}.${type}`);
    if (type === "image_url") {
      onlyMembers(inner, ["url", "detail"], `${at}.image_url`);
      return imageBlock(checkedImageUrl(requiredText(inner, "url", `${at}.image_url`), `${at}.image_url.url`));
    }
    onlyMembers(inner, ["file_data", "file_id", "filename"], `${at}.file`);
    return documentBlock(inner, `${at}.file`);
  });
}

/** The URL when it is one that OpenAI would fetch or decode. */
export function checkedImageUrl(url: string, path: string): string {
  if (/^https?:\/\//.test(url) || /^data:image\/(?:png|jpeg|gif|webp);base64,[A-Za-z0-9+/]+=*$/.test(url)) return url;
  throw wrongShape(
    "Invalid image URL. Expected a valid URL or a base64-encoded data URL with an image MIME type.",
    path,
    "invalid_value",
  );
}

/** A file in the Messages form. */
export function documentBlock(file: JsonObject, path: string): JsonObject {
  if (typeof file["file_id"] === "string")
    throw notPossible(`No such File object: ${file["file_id"]}`, `${path}.file_id`);
  const data = /^data:application\/pdf;base64,([A-Za-z0-9+/]+=*)$/.exec(requiredText(file, "file_data", path))?.[1];
  if (data === undefined)
    throw wrongShape("Expected a base64-encoded data URL of a PDF.", `${path}.file_data`, "invalid_value");
  requiredText(file, "filename", path);
  return { type: "document", source: { type: "base64", media_type: "application/pdf", data } };
}
