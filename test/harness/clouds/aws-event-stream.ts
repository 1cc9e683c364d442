import { EventStreamCodec } from "@smithy/eventstream-codec";

const codec = new EventStreamCodec(
  (bytes) => Buffer.from(typeof bytes === "string" ? bytes : Buffer.from(bytes)).toString("utf8"),
  (text) => Buffer.from(text, "utf8"),
);

/** One frame of AWS's event stream with text headers, both checksums computed by AWS's own codec. */
function awsFrame(headers: Readonly<Record<string, string>>, payload: Buffer | string): Buffer {
  const entries = Object.entries(headers).map(([name, value]) => [name, { type: "string", value }] as const);
  return Buffer.from(codec.encode({ headers: Object.fromEntries(entries), body: Buffer.from(payload) }));
}

/** A frame that carries an event. */
export function awsEvent(eventType: string, contentType: string, payload: Buffer | string): Buffer {
  return awsFrame({ ":event-type": eventType, ":content-type": contentType, ":message-type": "event" }, payload);
}

/** A frame that carries an exception; `name` in the camel case of the wire. */
export function awsException(name: string, value: unknown): Buffer {
  const headers = { ":exception-type": name, ":content-type": "application/json", ":message-type": "exception" };
  return awsFrame(headers, JSON.stringify(value));
}

/** A frame with one bit of its payload turned over, so that its checksum does not fit. */
export function damagedFrame(frame: Buffer): Buffer {
  const damaged = Buffer.from(frame);
  const at = damaged.length - 6; // before the checksum's four bytes
  damaged[at] = (damaged[at] ?? 0) ^ 0x01;
  return damaged;
}
