import type { MessagesRules } from "./messages-rules.ts";

/** Members of the Messages API that Anthropic's own service has and clouds do not. */
export const FIRST_PARTY_MEMBERS: ReadonlySet<string> = new Set([
  "model",
  "stream",
  "service_tier",
  "inference_geo",
  "speed",
  "container",
  "mcp_servers",
  "output_format",
  "cache_control",
  "user_profile_id",
  "fallbacks",
]);

/** What Messages requests have everywhere. */
export const COMMON_MEMBERS: readonly string[] = [
  "messages",
  "max_tokens",
  "system",
  "temperature",
  "top_p",
  "top_k",
  "stop_sequences",
  "tools",
  "tool_choice",
  "thinking",
  "metadata",
  "output_config",
  "context_management",
];

/**
 * Claude on Bedrock by InvokeModel. Betas: those of AWS's model parameter page, those that Anthropic's pages say it takes
 * (changes of tools in mid-conversation), and those that Claude Code's own Bedrock mode sends; any other is answered with
 * 400, as its users report.
 */
export const BEDROCK_RULES: MessagesRules = {
  members: new Set([
    ...COMMON_MEMBERS,
    "anthropic_version",
    "anthropic_beta",
    "amazon-bedrock-guardrailConfig",
    "amazon-bedrock-invocationMetrics",
  ]),
  firstPartyMembers: FIRST_PARTY_MEMBERS,
  memberBetas: { context_management: "context-management-" },
  betas: [
    "claude-code-",
    "computer-use-",
    "token-efficient-tools-",
    "interleaved-thinking-",
    "output-128k-",
    "dev-full-thinking-",
    "context-1m-",
    "context-management-",
    "effort-",
    "tool-search-tool-",
    "tool-examples-",
    "fine-grained-tool-streaming-",
    "mid-conversation-tool-changes-",
    "thinking-display-updates-",
    "thinking-token-count-",
  ],
  toolTypes: /^(?:bash|text_editor|computer|memory)_\d{8}$|^tool_search_tool_/,
  sources: new Set(["base64", "text", "content"]),
};
