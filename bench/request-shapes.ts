/** One tool call of the model and what came of it. */
export interface ToolCall {
  readonly id: string;
  readonly name: string;
  readonly input: object;
  readonly result: string;
}

/** What a request says, in no format yet. */
export interface Conversation {
  readonly system: string;
  readonly first: string;
  readonly calls: readonly ToolCall[];
  readonly tools: readonly { readonly name: string; readonly description: string; readonly schema: object }[];
  readonly userId: string;
  readonly stream: boolean;
}

const MAX_TOKENS = 8192;
const CACHED = { cache_control: { type: "ephemeral" } };

export function messagesRequest(conversation: Conversation, model: string): unknown {
  return { model, ...messagesMembers(conversation), stream: conversation.stream };
}

/** InvokeModel: the model and whether to stream are in the path. */
export function bedrockRequest(conversation: Conversation): unknown {
  return { anthropic_version: "bedrock-2023-05-31", ...messagesMembers(conversation) };
}

export function chatRequest(conversation: Conversation, model: string): unknown {
  const { system, first, calls, tools, userId, stream } = conversation;
  return {
    model,
    messages: [
      { role: "system", content: [{ type: "text", text: system, ...CACHED }] },
      { role: "user", content: [{ type: "text", text: first }] },
      ...calls.flatMap(({ id, name, input, result }) => [
        {
          role: "assistant",
          content: null,
          tool_calls: [{ id, type: "function", function: { name, arguments: JSON.stringify(input) } }],
        },
        { role: "tool", tool_call_id: id, content: result },
      ]),
    ],
    tools: tools.map(({ name, description, schema }) => ({
      type: "function",
      function: { name, description, parameters: schema },
    })),
    user: userId,
    max_completion_tokens: MAX_TOKENS,
    temperature: 1,
    stream,
    ...(stream ? { stream_options: { include_usage: true } } : {}),
  };
}

function messagesMembers({ system, first, calls, tools, userId }: Conversation): object {
  const turns = calls.flatMap(({ id, name, input, result }) => [
    { role: "assistant", content: [{ type: "tool_use", id, name, input }] },
    { role: "user", content: [{ type: "tool_result", tool_use_id: id, content: result }] },
  ]);
  return {
    messages: [{ role: "user", content: [{ type: "text", text: first }] }, ...turns],
    system: [{ type: "text", text: system, ...CACHED }],
    tools: tools.map(({ name, description, schema }) => ({ name, description, input_schema: schema })),
    metadata: { user_id: userId },
    max_tokens: MAX_TOKENS,
    temperature: 1,
  };
}
