import type { FeatureRow, FeatureTable } from "../openai-chat/features.ts";

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

/** A Responses client in front of an upstream that speaks Messages. */
export const RESPONSES_CLIENT_FEATURES: FeatureTable = {
  text: YES,
  streaming: YES,
  thinking: yes("as reasoning items; its text as their summary when reasoning.summary asks for it"),
  thinking_signatures: yes("whole in encrypted_content, and back from it"),
  redacted_thinking: yes("whole in encrypted_content, and back from it"),
  tool_use: yes("function tools, and custom tools with free text; a grammar goes into the description, with a warning"),
  tool_use_split_json: yes("the input of a custom tool comes in one piece"),
  parallel_tools: YES,
  tool_choice: yes("allowed_tools by offering no others"),
  cache_control_5m: yes("prompt_cache_breakpoint, prompt_cache_key, or cache_control on a part"),
  cache_control_1h: yes("a ttl of 30m or 12h, the latter with a warning, or cache_control on a part"),
  images_base64: yes("detail is left out with a warning"),
  images_url: yes("detail is left out with a warning"),
  documents_pdf: YES,
  documents_text: YES,
  citations: yes("as annotations: url_citation for pages, file_citation for documents"),
  server_tools_web_search: yes("as web_search_call; a reasoning item brings the encrypted pages back in the next turn"),
  server_tools_code_execution: refused("code_interpreter has its files in containers of OpenAI's"),
  mcp_servers: yes("with a server_url and require_approval: never; all else is refused"),
  stop_sequences: yes("Responses has none of its own: stop_sequences as in Messages"),
  stop_reasons: yes(
    "max_tokens and context as max_output_tokens, refusal as content_filter, pause_turn as max_messages",
  ),
  usage: YES,
  usage_cache_split: yes("reads as cached_tokens, writes as cache_write_tokens of any lifetime"),
  count_tokens: yes("/v1/responses/input_tokens"),
  structured_outputs: yes("json_object becomes an instruction, with a warning"),
  context_management: yes("the object of Messages; the list of Responses is left out"),
  fast_mode: yes("speed as in Messages"),
  service_tier: yes("flex and ultrafast are left out with a warning"),
  inference_geo: yes("as in Messages"),
  metadata_user_id: yes("safety_identifier, else user"),
};

/** A Messages client in front of an upstream that speaks Responses. */
export const RESPONSES_TARGET_FEATURES: FeatureTable = {
  text: YES,
  streaming: YES,
  thinking: yes("reasoning summaries; effort and budgets become reasoning.effort"),
  thinking_signatures: yes("the upstream's encrypted_content; thinking that Claude signed is left out with a warning"),
  redacted_thinking: warning("only Claude can read it, it is left out"),
  tool_use: YES,
  tool_use_split_json: YES,
  parallel_tools: YES,
  tool_choice: YES,
  cache_control_5m: warning("left out: the upstream decides itself what it caches"),
  cache_control_1h: warning("left out: the upstream decides itself what it caches"),
  images_base64: YES,
  images_url: YES,
  documents_pdf: YES,
  documents_text: yes("as text"),
  citations: yes("of pages that a search found; documents are not cited"),
  server_tools_web_search: yes("blocked_domains is refused; searches of earlier turns are left out with a warning"),
  server_tools_code_execution: refused("runs at Anthropic"),
  mcp_servers: yes("with an mcp_toolset for each"),
  stop_sequences: refused("Responses has none"),
  stop_reasons: YES,
  usage: yes("known at the end of a stream, not at its beginning"),
  usage_cache_split: yes("reads and writes where the upstream tells them; lifetimes are not told"),
  count_tokens: yes("/responses/input_tokens, where the upstream has it"),
  structured_outputs: yes("enforced where the schema fits OpenAI's strict mode, else with a warning"),
  context_management: warning("left out"),
  fast_mode: yes("as service_tier priority"),
  service_tier: YES,
  inference_geo: refused("the upstream cannot promise it"),
  metadata_user_id: yes("as safety_identifier, hashed beyond 64 characters"),
};
