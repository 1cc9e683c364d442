import type { AnswerBlock } from "./answer.ts";
import { estimateTokens, takeTokens } from "./tokens.ts";

/** Tokens of a tool call besides its name and input. */
const TOOL_USE_TOKENS = 12;

/** Output tokens of a block. What a server tool found is input, not output. */
export function outputTokensOf(block: AnswerBlock): number {
  switch (block.type) {
    case "thinking":
      return estimateTokens(block.thinking) + block.hiddenTokens;
    case "text":
      return estimateTokens(block.text);
    case "tool_use":
    case "server_tool_use":
      return TOOL_USE_TOKENS + estimateTokens(block.name + block.inputJson);
    case "web_search_tool_result":
      break;
  }
  return 0;
}

/** An answer's blocks after a limit, and why it ended there; `cut` is null when the limit did not bite. */
export interface Limited {
  readonly blocks: readonly AnswerBlock[];
  readonly cut: "max_tokens" | "stop_sequence" | null;
  readonly stopSequence: string | null;
}

/** Ends the answer before the first of the stop sequences that its text contains. */
export function applyStopSequences(blocks: readonly AnswerBlock[], sequences: readonly string[]): Limited {
  for (const [index, block] of blocks.entries()) {
    if (block.type !== "text") continue;
    const found = firstOf(block.text, sequences);
    if (found === null) continue;
    const head = { ...block, text: block.text.slice(0, found.at) };
    return { blocks: [...blocks.slice(0, index), head], cut: "stop_sequence", stopSequence: found.sequence };
  }
  return { blocks, cut: null, stopSequence: null };
}

/** Ends the answer when it has so many output tokens. A tool call that does not fit keeps the start of its input. */
export function applyTokenLimit(limited: Limited, maxTokens: number): Limited {
  const kept: AnswerBlock[] = [];
  let left = maxTokens;
  for (const block of limited.blocks) {
    const tokens = outputTokensOf(block);
    if (tokens > left) {
      const head = headOf(block, left);
      return { blocks: head === null ? kept : [...kept, head], cut: "max_tokens", stopSequence: null };
    }
    kept.push(block);
    left -= tokens;
  }
  return limited;
}

function firstOf(text: string, sequences: readonly string[]): { at: number; sequence: string } | null {
  let first: { at: number; sequence: string } | null = null;
  for (const sequence of sequences) {
    const at = text.indexOf(sequence);
    if (at >= 0 && (first === null || at < first.at)) first = { at, sequence };
  }
  return first;
}

/** The part of a block that fits into `tokens`; null when nothing of it does. */
function headOf(block: AnswerBlock, tokens: number): AnswerBlock | null {
  if (tokens <= 0) return null;
  switch (block.type) {
    case "text":
      return { ...block, text: takeTokens(block.text, tokens), citations: [] };
    case "thinking":
      return {
        ...block,
        thinking: takeTokens(block.thinking, tokens),
        hiddenTokens: Math.min(block.hiddenTokens, tokens),
      };
    case "tool_use": {
      const room = tokens - TOOL_USE_TOKENS - estimateTokens(block.name);
      return room <= 0 ? null : { ...block, inputJson: takeTokens(block.inputJson, room) };
    }
    case "server_tool_use":
    case "web_search_tool_result":
      break;
  }
  return null;
}
