import { EventSplitter } from "../sse/event-splitter.ts";
import { UsageMeter } from "./usage-meter.ts";

/** An event that is longer than this is passed on but not looked into; real ones are below 100 KB. */
const MAX_EVENT_BYTES = 8 * 1024 * 1024;
/** Bytes of a text delta event around its text; other deltas have more, which makes estimates err upwards. */
const DELTA_OVERHEAD_BYTES = 115;
/** Characters in an output token, for answers that end without a count. */
const BYTES_PER_TOKEN = 4;

/** An error that the upstream sent inside the stream. */
export interface StreamError {
  readonly type: string;
  readonly message: string;
}

/**
 * Watches a Messages event stream go by: collects usage, notices the first content, the end and errors. It never changes
 * a byte and never buffers more than one event.
 */
export class StreamTap {
  readonly usage = new UsageMeter();
  /** Set by `message_stop`: without it the stream was cut. */
  complete = false;
  /** Set by `message_start`. */
  started = false;
  model: string | null = null;
  error: StreamError | null = null;
  #deltas = 0;
  #deltaBytes = 0;
  #holdFrom = -1;
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_EVENT_BYTES);

  /** Whether any content has passed. */
  get hasContent(): boolean {
    return this.#deltas > 0;
  }

  /** Whether the stream stands between two events. */
  get atBoundary(): boolean {
    return this.#splitter.atBoundary;
  }

  /** Output tokens by the bytes that passed, for a stream that ended before it was counted. */
  get estimatedOutputTokens(): number {
    const textBytes = Math.max(0, this.#deltaBytes - this.#deltas * DELTA_OVERHEAD_BYTES);
    return Math.max(this.#deltas, Math.ceil(textBytes / BYTES_PER_TOKEN));
  }

  /**
   * Takes the next chunk. Returns the offset in it from which bytes are the last of the answer (`message_stop` and what
   * follows), to be held until the entry is durable; -1 when all may be relayed.
   */
  push(chunk: Buffer): number {
    if (this.complete) return 0;
    this.#holdFrom = -1;
    this.#splitter.push(chunk);
    return this.#holdFrom;
  }

  #event(buffer: Buffer, start: number, end: number): void {
    if (this.complete) return;
    // "event: " is seven bytes; the name's bytes tell the frequent deltas from the rest without decoding anything.
    const named = buffer[start] === 101 && buffer[start + 5] === 58;
    if (named && buffer[start + 7] === 99 && buffer[start + 21] === 100) {
      this.#deltas++;
      this.#deltaBytes += end - start;
      return;
    }
    if (named && buffer[start + 7] === 112) return; // ping
    if (named && buffer[start + 7] === 99) return; // content_block_start, content_block_stop
    this.#decode(buffer, start, end);
  }

  #decode(buffer: Buffer, start: number, end: number): void {
    const data = dataOf(buffer.toString("utf8", start, end));
    if (data === null) return;
    let event: unknown;
    try {
      event = JSON.parse(data);
    } catch {
      return; // Not ours to judge: the bytes pass, and a stream without message_stop counts as cut.
    }
    if (!isObject(event)) return;
    switch (event["type"]) {
      case "message_start":
        this.#messageStart(event["message"]);
        break;
      case "message_delta":
        this.usage.read(event["usage"]);
        break;
      case "message_stop":
        this.complete = true;
        // An event that began in an earlier chunk lies alone in its buffer: its start, 0, is the chunk's too.
        this.#holdFrom = start;
        break;
      case "content_block_delta":
        this.#deltas++;
        this.#deltaBytes += end - start;
        break;
      case "error":
        this.#error(event["error"]);
        break;
      default:
    }
  }

  #messageStart(message: unknown): void {
    this.started = true;
    if (!isObject(message)) return;
    if (typeof message["model"] === "string") this.model = message["model"];
    this.usage.read(message["usage"]);
  }

  #error(error: unknown): void {
    const fields = isObject(error) ? error : {};
    const { type, message } = fields;
    this.error = {
      type: typeof type === "string" ? type : "api_error",
      message: typeof message === "string" ? message : "",
    };
  }
}

/** The `data` of an event, lines joined as the standard says; null when it has none. */
function dataOf(event: string): string | null {
  const lines: string[] = [];
  for (const line of event.split(/\r?\n/)) {
    if (line.startsWith("data:")) lines.push(line.startsWith("data: ") ? line.slice(6) : line.slice(5));
  }
  return lines.length === 0 ? null : lines.join("\n");
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
