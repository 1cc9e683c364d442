/** One server-sent event of the Messages API. */
export interface MessageEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** The `usage` object of an answer, as the provider writes it. */
export interface ReportedUsage {
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cache_read_input_tokens?: number;
  readonly cache_creation_input_tokens?: number;
  readonly cache_creation?: { readonly ephemeral_5m_input_tokens: number; readonly ephemeral_1h_input_tokens: number };
  readonly server_tool_use?: { readonly web_search_requests: number };
  readonly service_tier?: string;
  readonly speed?: string;
  readonly inference_geo?: string;
}

const SAMPLE_USAGE: ReportedUsage = {
  input_tokens: 100,
  output_tokens: 12,
  cache_read_input_tokens: 1_000,
  cache_creation_input_tokens: 20,
  cache_creation: { ephemeral_5m_input_tokens: 20, ephemeral_1h_input_tokens: 0 },
};

/** Text that takes one, two, three and four bytes a character, so that any cut may fall inside one. */
const SAMPLE_TEXTS: readonly string[] = ["Grüße, ", "世界 ", "und 🌊🏞️ ", "plain end."];

export interface AnswerOptions {
  readonly model?: string;
  /** One text delta for each. */
  readonly texts?: readonly string[];
  readonly usage?: ReportedUsage;
}

/** The events of a streamed answer in the provider's order: start, block, ping, deltas, block's end, delta, stop. */
export function messageEvents(options: AnswerOptions = {}): MessageEvent[] {
  const { texts = SAMPLE_TEXTS, usage = SAMPLE_USAGE } = options;
  const message = {
    ...messageDocument(options),
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  };
  return [
    event("message_start", { message }),
    event("content_block_start", { index: 0, content_block: { type: "text", text: "" } }),
    event("ping", {}),
    ...texts.map((text) => event("content_block_delta", { index: 0, delta: { type: "text_delta", text } })),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "end_turn", stop_sequence: null }, usage }),
    event("message_stop", {}),
  ];
}

/** The events of a streamed answer that calls one tool. */
export function toolEvents(name: string, input: object, options: AnswerOptions = {}): MessageEvent[] {
  const { usage = SAMPLE_USAGE } = options;
  const message = {
    ...messageDocument(options),
    content: [],
    stop_reason: null,
    usage: { ...usage, output_tokens: 1 },
  };
  const block = { type: "tool_use", id: `toolu_fake_${++toolCalls}`, name, input: {} };
  return [
    event("message_start", { message }),
    event("content_block_start", { index: 0, content_block: block }),
    event("content_block_delta", {
      index: 0,
      delta: { type: "input_json_delta", partial_json: JSON.stringify(input) },
    }),
    event("content_block_stop", { index: 0 }),
    event("message_delta", { delta: { stop_reason: "tool_use", stop_sequence: null }, usage }),
    event("message_stop", {}),
  ];
}

/** Ids of tool calls must differ within a conversation. */
let toolCalls = 0;

/** The same answer as one JSON document. */
export function messageDocument(options: AnswerOptions = {}): Record<string, unknown> {
  const { model = "claude-sonnet-5-5", texts = SAMPLE_TEXTS, usage = SAMPLE_USAGE } = options;
  return {
    id: "msg_fake_1",
    type: "message",
    role: "assistant",
    model,
    content: [{ type: "text", text: texts.join("") }],
    stop_reason: "end_turn",
    stop_sequence: null,
    usage,
  };
}

/** An event in the framing of server-sent events. */
export function encodeEvent({ name, data }: MessageEvent): Buffer {
  return Buffer.from(`event: ${name}\ndata: ${JSON.stringify(data)}\n\n`);
}

export function encodeEvents(events: readonly MessageEvent[]): Buffer {
  return Buffer.concat(events.map(encodeEvent));
}

/** The names of the whole events in a piece of a stream, read independently of Weir's own parser. */
export function eventNames(bytes: Buffer): string[] {
  const whole = bytes.toString("utf8").split("\n\n").slice(0, -1);
  return whole.map((text) => /^event: (.*)$/m.exec(text)?.[1] ?? "");
}

function event(name: string, fields: Record<string, unknown>): MessageEvent {
  return { name, data: { type: name, ...fields } };
}
