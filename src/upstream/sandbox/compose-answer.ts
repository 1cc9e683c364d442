import type { AnswerBlock } from "./answer.ts";
import { answerText, thinkingText } from "./answer-text.ts";
import type { Conversation } from "./conversation.ts";
import { textOf } from "./json-value.ts";
import type { MessageRequest } from "./message-request.ts";
import { schemaValue } from "./schema-value.ts";
import { stableId, type SeededRandom } from "./seeded-random.ts";
import { signThinking } from "./thinking-signature.ts";
import { estimateTokens } from "./tokens.ts";
import { planToolCalls, type ToolCall } from "./tool-calls.ts";
import { planWebSearch } from "./web-search.ts";

/** What the answer says, before limits. */
export interface Composition {
  readonly blocks: readonly AnswerBlock[];
  readonly callsTools: boolean;
  readonly lateInputTokens: number;
  readonly webSearchRequests: number;
}

/** What the composition depends on. */
export interface ComposeInput {
  readonly request: MessageRequest;
  readonly conversation: Conversation;
  readonly random: SeededRandom;
  /** Names this answer; ids are derived from it. */
  readonly key: string;
  /** Wished length of the text in tokens; null for none. */
  readonly textTokens: number | null;
}

/** Decides what to answer: tool calls when the prompt asks for what a tool does, else text; thinking first when enabled. */
export function composeAnswer(input: ComposeInput): Composition {
  const { request, conversation, random } = input;
  const calls = input.textTokens === null ? planToolCalls(request, conversation) : [];
  const search =
    calls.length > 0 || request.outputSchema !== null ? null : planWebSearch(request, conversation, input.key);
  const step = calls[0] === undefined ? "I can answer now." : `The next step is to call ${calls[0].name}.`;
  // Thinking opens a turn; between tool calls the sandbox does not think again.
  const thinks = request.thinking.enabled && conversation.results.length === 0;
  const thinking = thinks ? [thinkingBlock(request, thinkingText(conversation, step, random))] : [];
  if (calls.length > 0) {
    const blocks = [...thinking, ...toolBlocks(calls, input)];
    return { blocks, callsTools: true, lateInputTokens: 0, webSearchRequests: 0 };
  }
  if (search !== null) {
    const { resultTokens, requests } = search;
    const blocks = [...thinking, ...search.blocks];
    return { blocks, callsTools: false, lateInputTokens: resultTokens, webSearchRequests: requests };
  }
  const text: AnswerBlock = { type: "text", text: finalText(input), citations: [] };
  return { blocks: [...thinking, text], callsTools: false, lateInputTokens: 0, webSearchRequests: 0 };
}

function finalText({ request, conversation, random, textTokens }: ComposeInput): string {
  if (request.outputSchema === null) return answerText(conversation, random, { tokens: textTokens });
  return JSON.stringify(schemaValue(request.outputSchema, { prompt: conversation.prompt, known: {} }));
}

function thinkingBlock(request: MessageRequest, text: string): AnswerBlock {
  const isOmitted = request.thinking.display === "omitted";
  const shown = isOmitted ? "" : text;
  return {
    type: "thinking",
    thinking: shown,
    signature: signThinking(shown),
    hiddenTokens: isOmitted ? estimateTokens(text) : 0,
  };
}

function toolBlocks(calls: readonly ToolCall[], { key, random, conversation }: ComposeInput): readonly AnswerBlock[] {
  const uses = calls.map((call, index): AnswerBlock => {
    const id = stableId("toolu_sandbox_", `${key}:${index}`);
    return { type: "tool_use", id, name: call.name, inputJson: JSON.stringify(call.input) };
  });
  // A model often, not always, says what it is about to do; later steps of a turn go without.
  if (conversation.results.length > 0 || random.next() < 0.3) return uses;
  return [{ type: "text", text: announcement(calls), citations: [] }, ...uses];
}

function announcement(calls: readonly ToolCall[]): string {
  const first = calls[0];
  if (first === undefined || calls.length > 1) return `I'll make ${calls.length} calls for this.`;
  const subject =
    textOf(first.input, "command") || textOf(first.input, "file_path") || textOf(first.input, "description");
  return subject === ""
    ? `I'll use ${first.name} for this.`
    : `I'll use ${first.name}: ${subject.split("\n", 1)[0] ?? ""}`;
}
