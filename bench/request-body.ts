import type { Answer } from "./cases.ts";

/** The model that every request names: one that every gateway knows without being told. */
export const MODEL = "claude-sonnet-4-6";

const SOURCE_LINE = (n: number): string =>
  `  if (level_${n} > gate["limit"]) { log.warn("gate ${n}:\\tabove limit", { level: level_${n} }); open(gate, ${n % 90}); }\n`;
const MAX_TOOL_RESULT_CHARS = 3_000;

/**
 * A Messages request of exactly `bytes` bytes, shaped as a coding agent sends it: model first, a system prompt with
 * cache control, tools with schemas, and a conversation of tool calls and their results full of source code. Its first
 * message tells upstream.c what to answer.
 */
export function requestBody(bytes: number, answer: Answer): Buffer {
  const build = (results: readonly string[], padding: string): string =>
    JSON.stringify(request(answer, results, padding));
  const results: string[] = [];
  let line = 0;
  for (let spare = bytes - build(results, "").length; spare > 600; spare = bytes - build(results, "").length) {
    let source = "";
    const limit = Math.min(MAX_TOOL_RESULT_CHARS, (spare - 450) * 0.8);
    do source += SOURCE_LINE(line++);
    while (source.length < limit - 150);
    results.push(source);
  }
  const padding = bytes - build(results, "").length;
  if (padding < 0) throw new Error(`a request cannot be as small as ${bytes} bytes: ${-padding} more are needed`);
  return Buffer.from(build(results, ".".repeat(padding)));
}

function request(answer: Answer, toolResults: readonly string[], padding: string): unknown {
  const plan = answer.kind === "json" ? "json" : `sse:${answer.events}:${answer.paceMs}`;
  const first = {
    role: "user",
    content: [{ type: "text", text: `bench-plan:${plan}; Keep the gates below their limits. ${padding}` }],
  };
  const turns = toolResults.flatMap((source, index) => {
    const id = `toolu_01Bench${String(index).padStart(16, "0")}`;
    return [
      {
        role: "assistant",
        content: [{ type: "tool_use", id, name: "Read", input: { file_path: `/srv/gates/gate-${index}.ts` } }],
      },
      { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: source }] },
    ];
  });
  return {
    model: MODEL,
    messages: [first, ...turns],
    system: [
      {
        type: "text",
        text: "You look after the gates of a weir. Read before you change.",
        cache_control: { type: "ephemeral" },
      },
    ],
    tools: [
      tool("Read", "Reads a file.", ["file_path"]),
      tool("Edit", "Replaces text in a file.", ["file_path", "old_string", "new_string"]),
    ],
    metadata: { user_id: "user_bench_account_00000000_session_00000000" },
    max_tokens: 8192,
    temperature: 1,
    stream: answer.kind === "stream",
  };
}

function tool(name: string, description: string, fields: readonly string[]): unknown {
  const properties = Object.fromEntries(
    fields.map((field) => [field, { type: "string", description: `The ${field.replace("_", " ")}` }]),
  );
  return {
    name,
    description,
    input_schema: { type: "object", properties, required: fields, additionalProperties: false },
  };
}
