import type { Answer, AnswerBlock, AnswerUsage, ToolUseBlock } from "./answer.ts";
import { isObject } from "./json-value.ts";

/** A whole answer as the Messages API returns it without streaming. */
export function messageJson(answer: Answer): object {
  return {
    ...messageHead(answer),
    content: answer.blocks.map(blockJson),
    stop_reason: answer.stopReason,
    stop_sequence: answer.stopSequence,
    stop_details: stopDetails(answer),
    usage: usageJson(answer.usage, "final"),
    ...contextManagement(answer),
  };
}

/** The message of `message_start`: everything but what is not known yet. */
export function startedMessageJson(answer: Answer): object {
  return {
    ...messageHead(answer),
    content: [],
    stop_reason: null,
    stop_sequence: null,
    stop_details: null,
    usage: usageJson(answer.usage, "start"),
  };
}

/** The `delta` of `message_delta`. */
export function finalDeltaJson(answer: Answer): object {
  return {
    stop_reason: answer.stopReason,
    stop_sequence: answer.stopSequence,
    stop_details: stopDetails(answer),
    container: null,
  };
}

/** The `context_management` member, which an answer has exactly if the request had one. */
export function contextManagement(answer: Answer): object {
  return answer.hasContextManagement ? { context_management: { applied_edits: [] } } : {};
}

/** Usage at the start of a stream, in its last delta, or of a whole answer. Counts are totals, never increments. */
export function usageJson(usage: AnswerUsage, at: "start" | "delta" | "final"): object {
  const isStart = at === "start";
  const writes = usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  const counts = {
    input_tokens: usage.inputTokens + (isStart ? 0 : usage.lateInputTokens),
    cache_creation_input_tokens: writes,
    cache_read_input_tokens: usage.cacheReadTokens,
    output_tokens: isStart ? Math.min(1, usage.outputTokens) : usage.outputTokens,
  };
  const outcome = {
    server_tool_use: isStart || usage.webSearchRequests === 0 ? null : serverToolUse(usage),
    output_tokens_details: isStart || usage.thinkingTokens === null ? null : { thinking_tokens: usage.thinkingTokens },
  };
  if (at === "delta") return { ...counts, ...outcome };
  return {
    ...counts,
    cache_creation: {
      ephemeral_5m_input_tokens: usage.cacheWrite5mTokens,
      ephemeral_1h_input_tokens: usage.cacheWrite1hTokens,
    },
    ...outcome,
    service_tier: usage.serviceTier,
    inference_geo: usage.inferenceGeo,
    speed: usage.speed,
  };
}

/** The members of a tool use block besides its input. */
export function toolUseHead(block: ToolUseBlock): object {
  return { type: block.type, id: block.id, name: block.name, caller: { type: "direct" } };
}

/** The block with which a server tool returns what it found. */
export function searchResultJson(block: Extract<AnswerBlock, { type: "web_search_tool_result" }>): object {
  return { type: block.type, tool_use_id: block.toolUseId, content: block.results, caller: { type: "direct" } };
}

function messageHead(answer: Answer): object {
  return {
    id: answer.id,
    type: "message",
    role: "assistant",
    model: answer.model,
    container: null,
    diagnostics: null,
  };
}

function stopDetails(answer: Answer): object | null {
  if (answer.stopReason !== "refusal") return null;
  return { type: "refusal", category: null, explanation: "Refused by a sandbox directive." };
}

function serverToolUse(usage: AnswerUsage): object {
  return { web_search_requests: usage.webSearchRequests, web_fetch_requests: 0 };
}

function blockJson(block: AnswerBlock): object {
  switch (block.type) {
    case "thinking":
      return { type: "thinking", thinking: block.thinking, signature: block.signature };
    case "text":
      return block.citations.length === 0
        ? { type: "text", text: block.text }
        : { type: "text", text: block.text, citations: block.citations };
    case "tool_use":
    case "server_tool_use":
      return { ...toolUseHead(block), input: wholeInput(block.inputJson) };
    case "web_search_tool_result":
      break;
  }
  return searchResultJson(block);
}

/** The parsed input; empty when `max_tokens` cut it. */
function wholeInput(inputJson: string): object {
  try {
    const input: unknown = JSON.parse(inputJson);
    return isObject(input) ? input : {};
  } catch {
    // Only an input that was cut does not parse.
    return {};
  }
}
