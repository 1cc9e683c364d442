import type { JsonObject } from "./json-value.ts";

/** A request for a message, checked and brought into one shape: every content is a list of blocks. */
export interface MessageRequest {
  readonly model: string;
  readonly maxTokens: number;
  readonly stream: boolean;
  readonly system: readonly JsonObject[];
  readonly tools: readonly JsonObject[];
  readonly turns: readonly Turn[];
  readonly toolChoice: ToolChoice;
  readonly thinking: Thinking;
  readonly stopSequences: readonly string[];
  /** JSON schema that the answer's text must satisfy (structured output); null for free text. */
  readonly outputSchema: JsonObject | null;
  /** TTL of the top-level `cache_control`, which marks the last cacheable block; null when absent. */
  readonly automaticCacheTtl: CacheTtl | null;
  readonly inferenceGeo: string | null;
  readonly speed: "fast" | "standard";
  /** Whether the answer carries `context_management`, as it does when the request has it. */
  readonly hasContextManagement: boolean;
}

export interface Turn {
  readonly role: "user" | "assistant" | "system";
  readonly blocks: readonly JsonObject[];
}

export type CacheTtl = "5m" | "1h";

/** `forced` is true for `any` and for `tool`; then an answer without a tool call is not allowed. */
export interface ToolChoice {
  readonly allowed: boolean;
  readonly forced: boolean;
  /** The only tool that may be called; null for any of them. */
  readonly name: string | null;
  readonly parallel: boolean;
}

export interface Thinking {
  readonly enabled: boolean;
  /** Upper limit of thinking tokens; null when the model decides itself. */
  readonly budgetTokens: number | null;
  /** `omitted` leaves out the text of the thinking and keeps its signature. */
  readonly display: "summarized" | "omitted";
}
