import type { JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import { encodeEvent, type MessageEvent } from "../message-events.ts";
import { jsonAnswer, type CloudError, type Framing, type WholeAnswer } from "./dialect.ts";
import { messagesError } from "./messages-error.ts";

/** How Messages answers look where nothing is translated: JSON, and server-sent events. */
export class SseFraming implements Framing {
  readonly streamHeaders: Readonly<Record<string, string>>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #requestId: string | null;

  /** `headers` come with every answer; `requestId` is named in errors. */
  constructor(headers: Readonly<Record<string, string>>, requestId: string | null) {
    this.#headers = headers;
    this.#requestId = requestId;
    this.streamHeaders = {
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
      ...headers,
    };
  }

  whole(message: JsonObject): WholeAnswer {
    return jsonAnswer(message, this.#headers);
  }

  events(event: MessageEvent): readonly Buffer[] {
    return [encodeEvent(event)];
  }

  errorEvent(error: CloudError): Buffer {
    return encodeEvent({ name: "error", data: messagesError(error, this.#requestId) });
  }

  damage(event: Buffer): Buffer {
    return damagedSse(event);
  }
}

/** An event whose data is cut in the middle of its JSON. */
export function damagedSse(event: Buffer): Buffer {
  const half = event.subarray(0, Math.floor((event.length - 2) / 2)).toString("utf8");
  return Buffer.from(`${half.replace(/\n+$/, "")}\n\n`);
}
