import { encodeHeaders } from "../event-stream/frame-headers.ts";

/** The headers of every chunk of a response stream, in the order in which Bedrock sends them. */
export const CHUNK_HEADERS: Buffer = encodeHeaders([
  [":event-type", { kind: "string", value: "chunk" }],
  [":content-type", { kind: "string", value: "application/json" }],
  [":message-type", { kind: "string", value: "event" }],
]);

/** The headers of an exception. `name` as Bedrock spells it in streams: `throttlingException`. */
export function exceptionHeaders(name: string): Buffer {
  return encodeHeaders([
    [":exception-type", { kind: "string", value: name }],
    [":content-type", { kind: "string", value: "application/json" }],
    [":message-type", { kind: "string", value: "exception" }],
  ]);
}
