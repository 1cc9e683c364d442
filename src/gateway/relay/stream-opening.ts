import { EventSplitter } from "../../wire/sse/event-splitter.ts";
import type { StreamTranslation } from "./answer-translation.ts";

/** Bytes without a whole event after which the stream is relayed as it is. */
const MAX_OPENING_BYTES = 256 * 1024;
const MESSAGE_START = Buffer.from("event: message_start");
const EVENT_END = "\n\n";
const CLOSING_BRACE = 0x7d;

/** What is known of a stream so far. */
export type OpeningState =
  | { readonly kind: "waiting" }
  | { readonly kind: "open" }
  | { readonly kind: "error"; readonly errorType: string }
  /** What came is no event that any client could read. */
  | { readonly kind: "unreadable" };

const WAITING: OpeningState = { kind: "waiting" };
const UNREADABLE: OpeningState = { kind: "unreadable" };
const OPEN: OpeningState = { kind: "open" };

/**
 * The beginning of a stream, kept back until its first event has come: an upstream that says 200 and then reports an error
 * in the stream has not answered, and another may. Pings do not count as an answer.
 */
export class StreamOpening {
  /** What has come, as it came and in canonical form. */
  readonly chunks: { readonly raw: Buffer; readonly canonical: Buffer }[] = [];
  readonly #translation: StreamTranslation;
  readonly #splitter = new EventSplitter(this.#event.bind(this), MAX_OPENING_BYTES);
  #bytes = 0;
  #state: OpeningState = WAITING;

  constructor(translation: StreamTranslation) {
    this.#translation = translation;
  }

  /** Takes the next bytes. Throws when they are not of the upstream's format. */
  push(raw: Buffer): OpeningState {
    const canonical = this.#translation.decode(raw);
    this.chunks.push({ raw, canonical });
    this.#bytes += canonical.length;
    // Nearly always: the first bytes hold the first event, whole and of the form that providers write it in.
    if (this.#bytes === canonical.length && beginsWithMessage(canonical)) return OPEN;
    this.#splitter.push(canonical);
    if (this.#state.kind === "waiting" && this.#bytes > MAX_OPENING_BYTES) this.#state = OPEN;
    return this.#state;
  }

  #event(buffer: Buffer, start: number, end: number): void {
    if (this.#state.kind !== "waiting") return;
    const text = buffer.toString("utf8", start, end);
    const data = text.match(/^data:.*$/gm)?.map((line) => line.slice("data:".length));
    if (data === undefined) return;
    const event = parsed(data.join("\n"));
    if (event?.type === "ping") return;
    // What no client could read is no answer either.
    if (event === null) this.#state = UNREADABLE;
    else this.#state = event.type === "error" ? { kind: "error", errorType: event.error?.type ?? "api_error" } : OPEN;
  }
}

/** Whether the first event is there to its end, and looks sound: while it is not, another upstream may still be asked. */
function beginsWithMessage(bytes: Buffer): boolean {
  if (bytes.length < MESSAGE_START.length) return false;
  if (bytes.compare(MESSAGE_START, 0, MESSAGE_START.length, 0, MESSAGE_START.length) !== 0) return false;
  const end = bytes.indexOf(EVENT_END, MESSAGE_START.length, "latin1");
  return end > 0 && bytes[end - 1] === CLOSING_BRACE;
}

/** As much of an event as is looked at; members that it does not have are absent. Null for what is no JSON. */
function parsed(data: string): { type: unknown; error: { type: string } | undefined } | null {
  let value: unknown;
  try {
    value = JSON.parse(data);
  } catch {
    return null;
  }
  if (typeof value !== "object" || value === null || !("type" in value)) return { type: undefined, error: undefined };
  const error = "error" in value && typeof value.error === "object" && value.error !== null ? value.error : {};
  const type = "type" in error && typeof error.type === "string" ? error.type : undefined;
  return { type: value.type, error: type === undefined ? undefined : { type } };
}
