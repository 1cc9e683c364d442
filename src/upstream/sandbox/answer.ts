import type { JsonObject } from "./json-value.ts";

/** An answer before it takes its wire form. */
export interface Answer {
  readonly id: string;
  readonly model: string;
  readonly blocks: readonly AnswerBlock[];
  readonly stopReason: string;
  readonly stopSequence: string | null;
  readonly usage: AnswerUsage;
  readonly hasContextManagement: boolean;
}

export type AnswerBlock =
  | { readonly type: "thinking"; readonly thinking: string; readonly signature: string; readonly hiddenTokens: number }
  | { readonly type: "text"; readonly text: string; readonly citations: readonly JsonObject[] }
  | ToolUseBlock
  | { readonly type: "web_search_tool_result"; readonly toolUseId: string; readonly results: readonly JsonObject[] };

/** A call of a client's tool, or of a server's tool that has run already. */
export interface ToolUseBlock {
  readonly type: "tool_use" | "server_tool_use";
  readonly id: string;
  readonly name: string;
  /** The input as JSON text; not whole when `max_tokens` cut the answer within it. */
  readonly inputJson: string;
}

/** Usage as the Messages API counts it; input counts exclude one another. */
export interface AnswerUsage {
  readonly inputTokens: number;
  /** Input that comes up while answering, such as search results; part of the final usage only. */
  readonly lateInputTokens: number;
  readonly cacheReadTokens: number;
  readonly cacheWrite5mTokens: number;
  readonly cacheWrite1hTokens: number;
  readonly outputTokens: number;
  /** The part of the output that was thinking; null when the request did not ask for thinking. */
  readonly thinkingTokens: number | null;
  readonly webSearchRequests: number;
  readonly serviceTier: "standard" | "batch";
  readonly inferenceGeo: string;
  readonly speed: "fast" | "standard";
}
