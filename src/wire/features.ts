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

/** Whole, with nothing to add. */
export const YES: FeatureRow = { support: "yes", why: "" };

/** Whole, with what is worth knowing. */
export function yes(why: string): FeatureRow {
  return { support: "yes", why };
}

/** Left out, and the client is told. */
export function warning(why: string): FeatureRow {
  return { support: "warning", why };
}

/** Refused by name. */
export function refused(why: string): FeatureRow {
  return { support: "refused", why };
}
