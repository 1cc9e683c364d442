import type { JsonRecord } from "../../openai/json-reader.ts";

/** What takes a stream's chunks and gives others. */
export interface Pusher {
  push(chunk: Buffer): Buffer;
}

/** What comes of a stream that is cut into the given chunks. */
export function pushAll(pusher: Pusher, chunks: readonly Buffer[]): string {
  return Buffer.concat(chunks.map((chunk) => pusher.push(chunk))).toString("utf8");
}

/** What comes of a stream one byte at a time. */
export function pushBytes(pusher: Pusher, bytes: Buffer): string {
  return pushAll(
    pusher,
    Array.from(bytes, (_, at) => bytes.subarray(at, at + 1)),
  );
}

/** The JSON of each event of a stream. */
export function eventsOf(stream: string): JsonRecord[] {
  return stream
    .split("\n\n")
    .flatMap((event) => /^data: ([^\n]*)/m.exec(event)?.[1] ?? [])
    .map((data) => JSON.parse(data) as JsonRecord); // events are objects
}

/** A stream of the Responses API with the given events. */
export function responsesStream(events: readonly JsonRecord[]): Buffer {
  const numbered: JsonRecord[] = events.map((event, index) => ({ ...event, sequence_number: index }));
  return Buffer.from(
    numbered.map((event) => `event: ${String(event["type"])}\ndata: ${JSON.stringify(event)}\n\n`).join(""),
  );
}

/** Puts a Messages stream together, as the SDK does. */
export function messageOf(stream: string): JsonRecord {
  let message: JsonRecord = {};
  const blocks: JsonRecord[] = [];
  const json: string[] = [];
  for (const event of eventsOf(stream)) {
    const index = Number(event["index"]);
    const block = blocks[index] ?? {};
    const delta = (event["delta"] ?? {}) as JsonRecord; // events are ours
    switch (event["type"]) {
      case "message_start":
        message = { ...(event["message"] as JsonRecord) };
        break;
      case "content_block_start":
        blocks[index] = { ...(event["content_block"] as JsonRecord) };
        json[index] = "";
        break;
      case "content_block_delta":
        if (delta["type"] === "text_delta") block["text"] = `${String(block["text"])}${String(delta["text"])}`;
        if (delta["type"] === "thinking_delta") {
          block["thinking"] = `${String(block["thinking"])}${String(delta["thinking"])}`;
        }
        if (delta["type"] === "signature_delta") block["signature"] = delta["signature"];
        if (delta["type"] === "citations_delta") {
          block["citations"] = [...((block["citations"] ?? []) as unknown[]), delta["citation"]];
        }
        if (delta["type"] === "input_json_delta") json[index] += String(delta["partial_json"]);
        break;
      case "content_block_stop":
        if (json[index] !== undefined && json[index] !== "") block["input"] = JSON.parse(json[index]);
        break;
      case "message_delta":
        message = {
          ...message,
          ...delta,
          usage: { ...(message["usage"] as JsonRecord), ...(event["usage"] as JsonRecord) },
        };
        break;
      default:
    }
  }
  return { ...message, content: blocks };
}
