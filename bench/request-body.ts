import type { Answer } from "./cases.ts";
import { type Conversation, type ToolCall, bedrockRequest, chatRequest, messagesRequest } from "./request-shapes.ts";
import { type Format, MODEL } from "./translation.ts";

const SOURCE_LINE = (n: number): string =>
  `  if (level_${n} > gate["limit"]) { log.warn("gate ${n}:\\tabove limit", { level: level_${n} }); open(gate, ${n % 90}); }\n`;
const MAX_TOOL_RESULT_CHARS = 3_000;

/** What speaks and what is asked for; a Messages client and the usual model unless said otherwise. */
export interface Asked {
  readonly client?: Format;
  readonly model?: string;
}

/**
 * A request of exactly `bytes` bytes, shaped as a coding agent sends it: model first, a system prompt with cache control,
 * tools with schemas, and a conversation of tool calls and their results full of source code. Its first message tells
 * upstream.c what to answer.
 */
export function requestBody(bytes: number, answer: Answer, asked: Asked = {}): Buffer {
  const { client = "messages", model = MODEL } = asked;
  const shape = { messages: messagesRequest, chat: chatRequest, bedrock: bedrockRequest }[client];
  const build = (results: readonly string[], padding: string): string =>
    JSON.stringify(shape(conversation(answer, results, padding), model));
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

function conversation(answer: Answer, toolResults: readonly string[], padding: string): Conversation {
  const plan = answer.kind === "json" ? "json" : `sse:${answer.events}:${answer.paceMs}`;
  const calls = toolResults.map((result, index): ToolCall => {
    const id = `toolu_01Bench${String(index).padStart(16, "0")}`;
    return { id, name: "Read", input: { file_path: `/srv/gates/gate-${index}.ts` }, result };
  });
  return {
    system: "You look after the gates of a weir. Read before you change.",
    first: `bench-plan:${plan}; Keep the gates below their limits. ${padding}`,
    calls,
    tools: [
      tool("Read", "Reads a file.", ["file_path"]),
      tool("Edit", "Replaces text in a file.", ["file_path", "old_string", "new_string"]),
    ],
    userId: "user_bench_account_00000000_session_00000000",
    stream: answer.kind === "stream",
  };
}

function tool(name: string, description: string, fields: readonly string[]): Conversation["tools"][number] {
  const properties = Object.fromEntries(
    fields.map((field) => [field, { type: "string", description: `The ${field.replace("_", " ")}` }]),
  );
  return { name, description, schema: { type: "object", properties, required: fields, additionalProperties: false } };
}
