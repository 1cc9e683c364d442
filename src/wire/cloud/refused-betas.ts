/** Texts of a body that need a beta, by how the beta's name begins: with one of them in the body, the beta has to stay. */
const BACKED: readonly (readonly [beta: string, marks: readonly string[]])[] = [
  ["context-management-", ['"context_management"']],
  ["compact-", ['"context_management"']],
  ["effort-", ['"output_config"']],
  ["task-budgets-", ['"task_budget"']],
  ["structured-outputs-", ['"output_config"', '"output_format"', '"strict"']],
  ["mid-conversation-output-config-", ['"output_config"']],
  ["mid-conversation-tool-changes-", ['"tool_change', '"tools_change']],
  ["tool-search-tool-", ['"defer_loading"', '"tool_search_tool_']],
  ["tool-examples-", ['"input_examples"']],
  ["advanced-tool-use-", ['"defer_loading"', '"tool_search_tool_', '"input_examples"', '"allowed_callers"']],
  ["fine-grained-tool-streaming-", ['"eager_input_streaming"']],
  ["computer-use-", ['"computer_2']],
  ["memory-", ['"memory_2']],
  ["web-search-", ['"web_search_2']],
  ["web-fetch-", ['"web_fetch_2']],
  ["code-execution-", ['"code_execution_2', '"container"']],
  ["skills-", ['"container"']],
  ["mcp-", ['"mcp_servers"']],
  ["files-api-", ['"file_id"']],
  ["fast-mode-", ['"speed"']],
  ["prompt-caching-scope-", ['"scope"']],
];

/** Whether something in a body would not be understood without a beta. */
export function backsField(beta: string, body: Buffer): boolean {
  const rule = BACKED.find(([name]) => beta.startsWith(name));
  return rule !== undefined && rule[1].some((mark) => body.includes(mark));
}

/**
 * Which of a request's betas an error answer (status 400) is about: Bedrock says `invalid beta flag` and not which one, others
 * quote their names. Null when it is about something else.
 */
export function refusedBetas(message: string, sent: readonly string[]): readonly string[] | null {
  if (/\binvalid beta flag/i.test(message)) return quoted(message, sent) ?? sent;
  if (/\bunexpected value\(s\).{0,400}\banthropic[-_]beta\b/is.test(message)) return quoted(message, sent);
  return null;
}

function quoted(message: string, sent: readonly string[]): readonly string[] | null {
  const named = sent.filter((beta) => message.includes(beta));
  return named.length > 0 ? named : null;
}
