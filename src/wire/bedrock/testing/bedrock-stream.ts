import { EventStreamCodec } from "@smithy/eventstream-codec";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(bytes).toString("utf8"),
  (text) => Buffer.from(text, "utf8"),
);

interface FrameOptions {
  readonly headers: Readonly<Record<string, string>>;
  readonly payload: string;
}

/** A frame made by the AWS codec. */
export function awsFrame({ headers, payload }: FrameOptions): Buffer {
  const entries = Object.entries(headers).map(([name, value]) => [name, { type: "string" as const, value }] as const);
  return Buffer.from(codec.encode({ headers: Object.fromEntries(entries), body: Buffer.from(payload, "utf8") }));
}

/** A chunk as Bedrock sends it: the event's JSON in base64, and padding. */
export function awsChunk(json: string): Buffer {
  return awsPayload(JSON.stringify({ bytes: Buffer.from(json, "utf8").toString("base64"), p: "abcdefghijk" }));
}

/** A chunk with any payload. */
export function awsPayload(payload: string): Buffer {
  const headers = { ":event-type": "chunk", ":content-type": "application/json", ":message-type": "event" };
  return awsFrame({ headers, payload });
}

export function awsException(name: string, payload: string): Buffer {
  const headers = { ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" };
  return awsFrame({ headers, payload });
}

/** The frames of a stream as the AWS codec reads them. */
export function awsFrames(stream: Buffer): { headers: Record<string, unknown>; payload: unknown }[] {
  const frames: { headers: Record<string, unknown>; payload: unknown }[] = [];
  for (let at = 0; at < stream.length;) {
    const end = at + stream.readUInt32BE(at);
    const { headers, body } = codec.decode(stream.subarray(at, end));
    const values = Object.entries(headers).map(([name, { value }]) => [name, value] as const);
    frames.push({ headers: Object.fromEntries(values), payload: JSON.parse(Buffer.from(body).toString("utf8")) });
    at = end;
  }
  return frames;
}
