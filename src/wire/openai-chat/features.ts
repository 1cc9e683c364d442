/** How far a feature of Messages goes over: whole, told as a warning, or refused with its name. */
type FeatureSupport = "yes" | "warning" | "refused";

export interface FeatureRow {
  readonly support: FeatureSupport;
  /** Where the support has a condition or an end; empty when it has none. */
  readonly why: string;
}

/** Features that the conformance matrix has a row for. */
export type FeatureName =
  | "text"
  | "streaming"
  | "thinking"
  | "thinking_signatures"
  | "redacted_thinking"
  | "tool_use"
  | "tool_use_split_json"
  | "parallel_tools"
  | "tool_choice"
  | "cache_control_5m"
  | "cache_control_1h"
  | "images_base64"
  | "images_url"
  | "documents_pdf"
  | "documents_text"
  | "citations"
  | "server_tools_web_search"
  | "server_tools_code_execution"
  | "mcp_servers"
  | "stop_sequences"
  | "stop_reasons"
  | "usage"
  | "usage_cache_split"
  | "count_tokens"
  | "structured_outputs"
  | "context_management"
  | "fast_mode"
  | "service_tier"
  | "inference_geo"
  | "metadata_user_id";

export type FeatureTable = Readonly<Record<FeatureName, FeatureRow>>;

const YES: FeatureRow = { support: "yes", why: "" };

function yes(why: string): FeatureRow {
  return { support: "yes", why };
}

function warning(why: string): FeatureRow {
  return { support: "warning", why };
}

function refused(why: string): FeatureRow {
  return { support: "refused", why };
}

/** A Chat Completions client in front of an upstream that speaks Messages. */
export const CHAT_CLIENT_FEATURES: FeatureTable = {
  text: YES,
  streaming: YES,
  thinking: yes("reasoning_effort or a thinking object; comes back as reasoning_content"),
  thinking_signatures: yes("in thinking_blocks, to be sent back as they came"),
  redacted_thinking: yes("in thinking_blocks"),
  tool_use: YES,
  tool_use_split_json: YES,
  parallel_tools: YES,
  tool_choice: yes("allowed_tools by offering only those"),
  cache_control_5m: yes("cache_control or prompt_cache_breakpoint on a part"),
  cache_control_1h: yes("cache_control with ttl 1h, or prompt_cache_breakpoint with a ttl"),
  images_base64: YES,
  images_url: YES,
  documents_pdf: yes("as a file part"),
  documents_text: yes("as a file part with a text data URL"),
  citations: yes("of web pages as annotations, others in citations beside them"),
  server_tools_web_search: yes("web_search_options, or the tool in Messages' shape; its blocks in server_tool_blocks"),
  server_tools_code_execution: yes("the tool in Messages' shape; its blocks in server_tool_blocks"),
  mcp_servers: yes("goes over as it is"),
  stop_sequences: yes("white space alone is refused"),
  stop_reasons: yes("finish_reason, with stop_reason beside it where that says more"),
  usage: YES,
  usage_cache_split: warning("reads and writes apart, but the writes not by lifetime"),
  count_tokens: refused("Chat Completions has no such endpoint"),
  structured_outputs: yes("response_format json_schema; json_object becomes an instruction, with a warning"),
  context_management: yes("goes over as it is"),
  fast_mode: yes("speed goes over as it is"),
  service_tier: warning("tiers that Messages does not know become auto or are left out"),
  inference_geo: yes("goes over as it is"),
  metadata_user_id: yes("safety_identifier or user"),
};

/** A Messages client in front of a model, other than Claude, that speaks Chat Completions. */
export const CHAT_TARGET_FEATURES: FeatureTable = {
  text: YES,
  streaming: YES,
  thinking: yes("as reasoning_effort where the model takes it, else a warning; reasoning comes back as thinking"),
  thinking_signatures: warning("other models sign nothing; signed thinking of earlier turns is left out"),
  redacted_thinking: warning("only Claude can read it; it is left out"),
  tool_use: YES,
  tool_use_split_json: YES,
  parallel_tools: YES,
  tool_choice: YES,
  cache_control_5m: warning("these upstreams cache by their own rules"),
  cache_control_1h: warning("these upstreams cache by their own rules"),
  images_base64: yes("in tool results moved to the user message after, with a warning"),
  images_url: yes("in tool results moved to the user message after, with a warning"),
  documents_pdf: yes("as a file part; by URL or file id refused"),
  documents_text: yes("as text"),
  citations: refused("other models do not cite"),
  server_tools_web_search: refused("runs at Anthropic"),
  server_tools_code_execution: refused("runs at Anthropic"),
  mcp_servers: refused("Anthropic's API alone connects to MCP servers"),
  stop_sequences: yes("at most four; which one stopped the model is not told"),
  stop_reasons: yes("from finish_reason"),
  usage: YES,
  usage_cache_split: warning("reads and, where the upstream reports them, writes; not by lifetime"),
  count_tokens: refused("Chat Completions has no such endpoint"),
  structured_outputs: yes("a schema with optional properties is not enforced to the letter, with a warning"),
  context_management: warning("left out: the whole context is sent"),
  fast_mode: warning("left out"),
  service_tier: YES,
  inference_geo: refused("a region is a promise that these upstreams do not give"),
  metadata_user_id: yes("as user; beyond 64 characters as its SHA-256"),
};
