import { invalid } from "./api-error.ts";
import { isObject, textOf, type JsonObject } from "./json-value.ts";
import type { Turn } from "./message-request.ts";
import { isForgedThinking } from "./thinking-signature.ts";

/** Reads `messages` into turns and checks what the Messages API checks of a conversation. Throws a 400 ApiError. */
export function readTurns(value: unknown): readonly Turn[] {
  if (value === undefined) throw invalid("messages: Field required");
  if (!Array.isArray(value)) throw invalid("messages: Input should be a valid list");
  if (value.length === 0) throw invalid("messages: at least one message is required");
  const turns = value.map((message: unknown, index) => readTurn(message, index));
  turns.forEach((turn, index) => checkContent(turn, index, index === turns.length - 1));
  if (turns[0]?.role === "assistant") throw invalid('messages: first message must use the "user" role');
  checkToolPairs(turns);
  return turns;
}

function readTurn(message: unknown, index: number): Turn {
  if (!isObject(message)) throw invalid(`messages.${index}: Input should be a valid dictionary`);
  const { role, content } = message;
  if (role === undefined) throw invalid(`messages.${index}.role: Field required`);
  // A system entry within messages is a newer form that Claude Code uses.
  if (role !== "user" && role !== "assistant" && role !== "system") {
    throw invalid(`messages: Unexpected role "${textOf(message, "role")}". Allowed roles are "user" or "assistant"`);
  }
  if (content === undefined) throw invalid(`messages.${index}.content: Field required`);
  if (typeof content === "string") return { role, blocks: content === "" ? [] : [{ type: "text", text: content }] };
  if (!Array.isArray(content)) throw invalid(`messages.${index}.content: Input should be a valid list`);
  return { role, blocks: content.map((block: unknown, at) => readBlock(block, `messages.${index}.content.${at}`)) };
}

function readBlock(block: unknown, at: string): JsonObject {
  if (!isObject(block)) throw invalid(`${at}: Input should be a valid dictionary`);
  if (typeof block["type"] !== "string") throw invalid(`${at}.type: Field required`);
  if (block["type"] === "text" && typeof block["text"] !== "string") throw invalid(`${at}.text.text: Field required`);
  return block;
}

function checkContent(turn: Turn, index: number, isLast: boolean): void {
  if (turn.blocks.length === 0 && !(isLast && turn.role === "assistant")) {
    throw invalid(
      `messages.${index}: all messages must have non-empty content except for the optional final assistant message`,
    );
  }
  turn.blocks.forEach((block, at) => {
    if (block["type"] === "text" && block["text"] === "")
      throw invalid("messages: text content blocks must be non-empty");
    if (block["type"] === "thinking" && isForgedThinking(block)) {
      throw invalid(`messages.${index}.content.${at}: Invalid \`signature\` in \`thinking\` block`);
    }
  });
  const last = turn.blocks.at(-1);
  if (isLast && turn.role === "assistant" && last?.["type"] === "text" && /\s$/.test(textOf(last, "text"))) {
    throw invalid("messages: final assistant content cannot end with trailing whitespace");
  }
}

/** Every tool_use needs its tool_result in the user turn that follows, and the other way round. */
function checkToolPairs(turns: readonly Turn[]): void {
  let called = new Set<string>();
  let open = new Set<string>();
  let calledAt = 0;
  turns.forEach((turn, index) => {
    if (turn.role === "system") return;
    if (turn.role === "assistant") {
      // Consecutive assistant messages are one turn for the API, so calls of an earlier one may still be open.
      if (turns[index - 1]?.role !== "assistant") {
        requireAnswered(open, calledAt);
        called = new Set();
        open = new Set();
      }
      calledAt = index;
      for (const block of turn.blocks) if (block["type"] === "tool_use") called.add(textOf(block, "id"));
      open = new Set(called);
      return;
    }
    turn.blocks.forEach((block, at) => {
      if (block["type"] !== "tool_result") return;
      const id = textOf(block, "tool_use_id");
      if (!called.has(id)) throw unexpectedResult(id, `messages.${index}.content.${at}`);
      open.delete(id);
    });
  });
  requireAnswered(open, calledAt);
}

function requireAnswered(open: ReadonlySet<string>, calledAt: number): void {
  if (open.size === 0) return;
  throw invalid(
    `messages.${calledAt}: \`tool_use\` ids were found without \`tool_result\` blocks immediately after: ` +
      `${[...open].join(", ")}. Each \`tool_use\` block must have a corresponding \`tool_result\` block in the next message.`,
  );
}

function unexpectedResult(id: string, at: string): Error {
  return invalid(
    `${at}: unexpected \`tool_use_id\` found in \`tool_result\` blocks: ${id}. ` +
      "Each `tool_result` block must have a corresponding `tool_use` block in the previous message.",
  );
}
