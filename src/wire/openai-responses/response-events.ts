import type { JsonObject } from "../openai/json-reader.ts";
import { literalOf } from "./literal-text.ts";

/** What the deltas of one part have in common. */
export interface DeltaKind {
  readonly type: string;
  /** JSON members, with a comma after the last. */
  readonly members: string;
}

/** Takes the events of a Responses stream. */
export interface EventSink {
  event(type: string, fields: JsonObject): void;
  /** A delta; `literal` is the JSON text of its string, one character a byte. */
  delta(kind: DeltaKind, literal: string): void;
}

/** For an answer that is not streamed. */
export const noEvents: EventSink = {
  event: () => {
    // A whole answer has no events.
  },
  delta: () => {
    // As above.
  },
};

/** Writes events as server-sent events and numbers them. Its text has one character a byte, and is made bytes once a chunk. */
export class EventWriter implements EventSink {
  #text = "";
  #sequenceNumber = 0;

  event(type: string, fields: JsonObject): void {
    const data = literalOf({ type, sequence_number: this.#sequenceNumber++, ...fields });
    this.#text += `event: ${type}\ndata: ${data}\n\n`;
  }

  delta({ type, members }: DeltaKind, literal: string): void {
    const number = this.#sequenceNumber++;
    this.#text += `event: ${type}\ndata: {"type":"${type}","sequence_number":${number},${members}"delta":${literal}}\n\n`;
  }

  /** A line that readers skip: it keeps the connection alive. */
  comment(text: string): void {
    this.#text += `: ${text}\n\n`;
  }

  /** What was written since the last call. */
  take(): Buffer {
    const bytes = Buffer.from(this.#text, "latin1");
    this.#text = "";
    return bytes;
  }
}
