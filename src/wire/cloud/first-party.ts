import { oneOf, type BetaRule, type FieldRule, type ToolRule } from "./feature-rule.ts";

const ATTRIBUTES = "It attributes usage at Anthropic.";

/** What of the Messages API Anthropic alone serves: neither Bedrock nor Vertex takes it. */
export const FIRST_PARTY_FIELDS: readonly FieldRule[] = [
  {
    field: "speed",
    betas: ["fast-mode-2026-02-01"],
    action: "warn",
    harmless: oneOf('"standard"'),
    why: "Fast mode is known to Anthropic's own API alone.",
  },
  {
    field: "mcp_servers",
    betas: ["mcp-client-2025-04-04", "mcp-client-2025-11-20", "mcp-client-2026-09-15", "mcp-servers-2025-12-04"],
    action: "refuse",
    harmless: oneOf("[]"),
    why: "Anthropic's own API alone connects to MCP servers.",
  },
  {
    field: "container",
    betas: ["skills-2025-10-02", "code-execution-2025-05-22", "code-execution-2025-08-25"],
    action: "refuse",
    why: "Containers and skills are known to Anthropic's own API alone.",
  },
  {
    field: "thread",
    betas: ["message-threads-2026-08-12"],
    action: "refuse",
    why: "The conversation would be incomplete without it.",
  },
  {
    field: "messages[].content[].source.file_id",
    betas: ["files-api-2025-04-14"],
    action: "refuse",
    why: "The Files API is Anthropic's own: send the content itself as base64.",
  },
  scope("system[]"),
  scope("tools[]"),
  scope("messages[].content[]"),
  scope("messages[].content[].content[]"),
  {
    field: "fallbacks",
    betas: ["server-side-fallback-2026-06-01", "server-side-fallback-2026-07-01"],
    action: "warn",
    why: "A refusal is answered as a refusal.",
  },
  { field: "diagnostics", betas: ["cache-diagnosis-2026-04-07"], action: "warn", why: "It only informs." },
  { field: "context_hint", betas: ["context-hint-2026-04-09"], action: "warn", why: "It only informs." },
  { field: "tags", betas: ["request-tags-2026-08-21"], action: "warn", why: ATTRIBUTES },
  {
    field: "user_profile_id",
    betas: ["user-profiles-2026-03-24", "user-profiles-2026-08-18", "user-profiles-2026-09-04"],
    action: "warn",
    why: ATTRIBUTES,
  },
  { field: "billing_policy", betas: ["user-profiles-billing-2026-10-01"], action: "warn", why: ATTRIBUTES },
  { field: "program_use_case_id", betas: ["program-use-case-ids-2026-09-17"], action: "warn", why: ATTRIBUTES },
  { field: "workspace_id", betas: [], action: "warn", why: ATTRIBUTES },
];

/** Where a cached prefix may be used; told in the blocks that end one. */
function scope(place: string): FieldRule {
  return {
    field: `${place}.cache_control.scope`,
    betas: ["prompt-caching-scope-2026-01-05"],
    action: "warn",
    why: "What is cached stays within the account.",
  };
}

export const FIRST_PARTY_BETAS: readonly BetaRule[] = [
  { beta: "oauth-2025-04-20", becomes: [], why: "It belongs to a credential of Anthropic's own." },
  { beta: "structured-outputs-2025-11-13", becomes: [], why: "output_config.format needs no beta." },
  { beta: "extended-cache-ttl-2025-04-11", becomes: [], why: "The one-hour lifetime needs no beta." },
  { beta: "prompt-caching-2024-07-31", becomes: [], why: "Caching needs no beta." },
  { beta: "message-batches-2024-09-24", becomes: [], why: "Batches are another API there." },
  { beta: "token-counting-2024-11-01", becomes: [], why: "Counting needs no beta." },
  { beta: "web-fetch-2025-09-10", becomes: [], why: "Web fetch does not run there." },
  { beta: "advisor-tool-2026-03-01", becomes: [], why: "The advisor tool does not run there." },
  { beta: "redact-thinking-2026-02-12", becomes: [], why: "It is not known there." },
  { beta: "prompt-caching-evict-2026-05-12", becomes: [], why: "It is not known there." },
  { beta: "cache-keepalive-2026-09-03", becomes: [], why: "It is not known there." },
];

export const FIRST_PARTY_TOOLS: readonly ToolRule[] = [
  { type: "web_fetch_2", why: "Web fetch runs at Anthropic itself." },
  { type: "code_execution_2", why: "Code execution runs at Anthropic itself." },
  { type: "mcp_toolset", why: "Anthropic's own API alone connects to MCP servers." },
  { type: "advisor_2", why: "The advisor tool runs at Anthropic itself." },
];
