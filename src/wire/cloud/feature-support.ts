/** The features of the conformance matrix. */
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

/** `yes`; `warning`: left out with a warning; `refused`: the request is refused with the feature's name. */
interface FeatureSupport {
  readonly support: "yes" | "warning" | "refused";
  /** What is behind anything but a plain yes. */
  readonly why?: string;
}

export type FeatureTable = Readonly<Record<FeatureName, FeatureSupport>>;

const YES: FeatureSupport = { support: "yes" };

/** What both Bedrock and Vertex carry as it is: their bodies and events are those of the Messages API. */
export const CLOUD_FEATURES: FeatureTable = {
  text: YES,
  streaming: YES,
  thinking: YES,
  thinking_signatures: YES,
  redacted_thinking: YES,
  tool_use: YES,
  tool_use_split_json: YES,
  parallel_tools: YES,
  tool_choice: YES,
  cache_control_5m: YES,
  cache_control_1h: YES,
  images_base64: YES,
  images_url: { support: "refused", why: "by the upstream, which takes base64 alone; its words are passed on" },
  documents_pdf: { support: "yes", why: "as base64" },
  documents_text: YES,
  citations: YES,
  server_tools_web_search: { support: "refused", why: "runs at the first party" },
  server_tools_code_execution: { support: "refused", why: "runs at the first party" },
  mcp_servers: { support: "refused", why: "the MCP connector is the first-party API's" },
  stop_sequences: YES,
  stop_reasons: YES,
  usage: YES,
  usage_cache_split: YES,
  count_tokens: YES,
  structured_outputs: { support: "yes", why: "output_config.format; output_format is renamed to it" },
  context_management: { support: "yes", why: "with its beta" },
  fast_mode: { support: "warning", why: "answered at the standard speed" },
  service_tier: { support: "warning", why: "the cloud takes it in a header of its own" },
  inference_geo: { support: "refused", why: "the upstream decides where a request runs; global is taken" },
  metadata_user_id: YES,
};
