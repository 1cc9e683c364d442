import { withoutDirectives } from "./directive.ts";
import { objectsOf, textOf, type JsonObject } from "./json-value.ts";
import type { MessageRequest, Turn } from "./message-request.ts";

/** What is going on in a conversation, as far as the answer depends on it. */
export interface Conversation {
  /** What the user asked for last, in their own words: without system reminders and sandbox directives. */
  readonly prompt: string;
  /** The text of the last user turn as it came, for directives; empty when it only holds tool results. */
  readonly lastText: string;
  /** Results of the tool calls of the last assistant turn; empty when the user spoke last. */
  readonly results: readonly ToolResult[];
  /** Tool calls made since the prompt. */
  readonly callsMade: number;
  /** File ids that the last user turn refers to. */
  readonly fileIds: readonly string[];
}

/** The outcome of one tool call. */
export interface ToolResult {
  readonly id: string;
  readonly toolName: string;
  readonly input: JsonObject;
  readonly text: string;
  readonly isError: boolean;
}

const REMINDER = /<system-reminder>[\s\S]*?<\/system-reminder>/g;

/** Reads the state of a conversation off its turns. */
export function readConversation(request: MessageRequest): Conversation {
  const turns = request.turns.filter((turn) => turn.role !== "system");
  const last = lastUserBlocks(turns);
  const lastText = userText(last);
  const results = last.filter((block) => block["type"] === "tool_result");
  const base = { lastText, fileIds: last.flatMap(fileIdOf) };
  if (results.length === 0) return { ...base, prompt: ownWords(last), results: [], callsMade: 0 };
  return {
    ...base,
    prompt: promptBefore(turns),
    results: results.map((block) => readResult(block, turns)),
    callsMade: callsSincePrompt(turns),
  };
}

/** The blocks of the user turns after the last assistant turn; a final assistant turn (prefill) is skipped. */
function lastUserBlocks(turns: readonly Turn[]): readonly JsonObject[] {
  const end = turns.at(-1)?.role === "assistant" ? turns.length - 1 : turns.length;
  const start = turns.slice(0, end).findLastIndex((turn) => turn.role === "assistant") + 1;
  return turns.slice(start, end).flatMap((turn) => turn.blocks);
}

function userText(blocks: readonly JsonObject[]): string {
  return textsOf(blocks).join("\n");
}

/** The last text of a user turn that is more than a reminder: clients put what the user typed at the end. */
function ownWords(blocks: readonly JsonObject[]): string {
  for (const text of textsOf(blocks).toReversed()) {
    const own = text.includes("<system-reminder>") ? text.replace(REMINDER, "") : text;
    const prompt = withoutDirectives(own).trim();
    if (prompt !== "") return prompt;
  }
  return "";
}

function textsOf(blocks: readonly JsonObject[]): readonly string[] {
  return blocks.filter((block) => block["type"] === "text").map((block) => textOf(block, "text"));
}

/** The words of the latest user turn that brought no tool results. */
function promptBefore(turns: readonly Turn[]): string {
  const at = turns.findLastIndex(isPromptTurn);
  return at < 0 ? "" : ownWords(turns[at]?.blocks ?? []);
}

function isPromptTurn(turn: Turn): boolean {
  return (
    turn.role === "user" &&
    !turn.blocks.some((block) => block["type"] === "tool_result") &&
    ownWords(turn.blocks) !== ""
  );
}

function callsSincePrompt(turns: readonly Turn[]): number {
  const since = turns.slice(turns.findLastIndex(isPromptTurn) + 1);
  return since.flatMap((turn) => turn.blocks).filter((block) => block["type"] === "tool_use").length;
}

function readResult(block: JsonObject, turns: readonly Turn[]): ToolResult {
  const id = textOf(block, "tool_use_id");
  const call = turns
    .flatMap((turn) => turn.blocks)
    .findLast((candidate) => candidate["type"] === "tool_use" && candidate["id"] === id);
  const input = objectsOf([call?.["input"]])[0] ?? {};
  const content = block["content"];
  const text = typeof content === "string" ? content : textsOf(objectsOf(content)).join("\n");
  const toolName = call === undefined ? "" : textOf(call, "name");
  return { id, toolName, input, text: text.replace(REMINDER, "").trim(), isError: block["is_error"] === true };
}

function fileIdOf(block: JsonObject): readonly string[] {
  const source = objectsOf([block["source"]])[0];
  const id = textOf(block, "file_id") || (source === undefined ? "" : textOf(source, "file_id"));
  return id === "" ? [] : [id];
}
