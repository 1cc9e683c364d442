import { EventStreamCodec } from "@smithy/eventstream-codec";

/** An answer as its client understands it, in whatever format it came. */
export interface ClientView {
  /** All text of the model that came. */
  readonly text: string;
  /** Whole events of a stream that came, pings not counted. */
  readonly events: number;
  /** How the answer says that it ended: as a good one does, with an error, or not at all. */
  readonly end: "proper" | "error" | "none";
  /** The error's message, where there is one. */
  readonly error: string | null;
  /** Events or documents that no client can read. */
  readonly unreadable: number;
}

/** Puts a view together event by event. */
class ViewBuilder {
  text = "";
  events = 0;
  end: ClientView["end"] = "none";
  error: string | null = null;
  unreadable = 0;

  /** An error is the last word, whatever follows. */
  fail(message: unknown): void {
    this.end = "error";
    this.error = typeof message === "string" ? message : JSON.stringify(message);
  }

  finish(): void {
    if (this.end === "none") this.end = "proper";
  }

  view(): ClientView {
    const { text, events, end, error, unreadable } = this;
    return { text, events, end, error, unreadable };
  }
}

/** A stream of Messages events as server-sent events. */
export function viewMessagesStream(body: Buffer): ClientView {
  const builder = new ViewBuilder();
  for (const { data } of sseEvents(body)) readMessagesEvent(builder, data);
  return builder.view();
}

/** A stream of Bedrock's: Messages events in frames with checksums. */
export function viewBedrockStream(body: Buffer): ClientView {
  const builder = new ViewBuilder();
  const codec = new EventStreamCodec(
    (bytes) => Buffer.from(bytes).toString("utf8"),
    (text) => Buffer.from(text),
  );
  for (let at = 0; at + 4 <= body.length;) {
    const length = body.readUInt32BE(at);
    if (length < 16 || at + length > body.length) break;
    readFrame(builder, codec, body.subarray(at, at + length));
    at += length;
  }
  return builder.view();
}

function readFrame(builder: ViewBuilder, codec: EventStreamCodec, frame: Buffer): void {
  let message: ReturnType<EventStreamCodec["decode"]>;
  try {
    message = codec.decode(frame);
  } catch {
    builder.unreadable++;
    return;
  }
  const payload = parsed(Buffer.from(message.body).toString("utf8"));
  if (message.headers[":message-type"]?.value === "exception") {
    builder.events++;
    builder.fail(field(payload, "message"));
    return;
  }
  const bytes = field(payload, "bytes");
  readMessagesEvent(builder, typeof bytes === "string" ? Buffer.from(bytes, "base64").toString("utf8") : "");
}

function readMessagesEvent(builder: ViewBuilder, text: string): void {
  const event = parsed(text);
  const type = field(event, "type");
  if (type === "ping") return;
  builder.events++;
  if (event === null) builder.unreadable++;
  const delta = field(event, "delta");
  if (type === "content_block_delta") builder.text += textOf(field(delta, "text"));
  else if (type === "error") builder.fail(field(field(event, "error"), "message"));
  else if (type === "message_stop") builder.finish();
}

/** A stream of Chat Completions: good ones end with a reason and `[DONE]`. */
export function viewChatStream(body: Buffer): ClientView {
  const builder = new ViewBuilder();
  let hasReason = false;
  for (const { data } of sseEvents(body)) {
    if (data === "[DONE]") {
      if (hasReason) builder.finish();
      continue;
    }
    const chunk = parsed(data);
    builder.events++;
    if (chunk === null) builder.unreadable++;
    const error = field(chunk, "error");
    if (error !== undefined) builder.fail(field(error, "message"));
    const choice = element(field(chunk, "choices"));
    builder.text += textOf(field(field(choice, "delta"), "content"));
    if (typeof field(choice, "finish_reason") === "string") hasReason = true;
  }
  return builder.view();
}

/** A stream of Responses: good ones end with `response.completed`. */
export function viewResponsesStream(body: Buffer): ClientView {
  const builder = new ViewBuilder();
  for (const { data } of sseEvents(body)) {
    const event = parsed(data);
    builder.events++;
    if (event === null) builder.unreadable++;
    const type = field(event, "type");
    if (type === "response.output_text.delta") builder.text += textOf(field(event, "delta"));
    else if (type === "response.failed") builder.fail(field(field(field(event, "response"), "error"), "message"));
    else if (type === "error") builder.fail(field(event, "message"));
    else if (type === "response.completed") builder.finish();
  }
  return builder.view();
}

/** A Messages answer. */
export function viewMessage(body: Buffer): ClientView {
  return viewDocument(body, (document) =>
    field(document, "stop_reason") === undefined ? null : joinTexts(field(document, "content")),
  );
}

/** A Chat Completions answer. */
export function viewCompletion(body: Buffer): ClientView {
  return viewDocument(body, (document) => {
    const text = field(field(element(field(document, "choices")), "message"), "content");
    return typeof text === "string" ? text : null;
  });
}

/** A Responses answer. */
export function viewResponse(body: Buffer): ClientView {
  return viewDocument(body, (document) => {
    if (field(document, "status") !== "completed") return null;
    const output = field(document, "output");
    if (!Array.isArray(output)) return null;
    return output.map((item) => joinTexts(field(item, "content"))).join("");
  });
}

/** An error answer: those of all formats have the message in one of two places. */
function viewDocument(body: Buffer, textIn: (document: unknown) => string | null): ClientView {
  const builder = new ViewBuilder();
  const document = parsed(body.toString("utf8"));
  if (document === null) builder.unreadable++;
  const text = textIn(document);
  if (text !== null) {
    builder.text = text;
    builder.finish();
    return builder.view();
  }
  const message = field(field(document, "error"), "message") ?? field(document, "message");
  if (message !== undefined) builder.fail(message);
  return builder.view();
}

function joinTexts(content: unknown): string {
  return Array.isArray(content) ? content.map((block) => textOf(field(block, "text"))).join("") : "";
}

/** The data of whole server-sent events; what comes after the last blank line is none yet. */
function sseEvents(body: Buffer): { readonly data: string }[] {
  const blocks = body.toString("utf8").replaceAll("\r\n", "\n").split("\n\n").slice(0, -1);
  return blocks.flatMap((block) => {
    const lines = block.split("\n").filter((line) => line.startsWith("data:"));
    return lines.length === 0 ? [] : [{ data: lines.map((line) => line.slice(5).replace(/^ /, "")).join("\n") }];
  });
}

/** The value of a JSON text; null when it is none. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

function field(value: unknown, name: string): unknown {
  if (typeof value !== "object" || value === null) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name]; // any object may be asked for any member
}

function element(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
