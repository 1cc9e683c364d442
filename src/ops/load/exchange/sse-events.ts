const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const EVENT_FIELD = Buffer.from("event:");
const DATA_FIELD = Buffer.from("data:");
/** A line longer than this is not kept for its data; a stream without line ends must not fill the memory. */
const MAX_LINE_BYTES = 1024 * 1024;
const MAX_NAME_BYTES = 100;

/** Called at each complete event. `data` is a view that is only valid during the call. */
type OnSseEvent = (name: string, data: Buffer) => void;

/**
 * Cuts a server-sent event stream into events while it arrives, wherever the chunks end. Made for measuring: the data is
 * neither copied nor decoded unless an event spans chunks. An event without a name is called after the `type` that its data
 * begins with. On purpose not the gateway's own splitter: what measures a gateway must not share its mistakes.
 */
export class SseEvents {
  readonly #onEvent: OnSseEvent;
  #rest: Buffer | null = null;
  #name: string | null = null;
  #data: Buffer | null = null;

  constructor(onEvent: OnSseEvent) {
    this.#onEvent = onEvent;
  }

  push(chunk: Buffer): void {
    const bytes = this.#rest === null ? chunk : Buffer.concat([this.#rest, chunk]);
    this.#rest = null;
    let start = 0;
    for (let end = bytes.indexOf(LINE_FEED); end >= 0; end = bytes.indexOf(LINE_FEED, start)) {
      this.#line(bytes, start, end > start && bytes[end - 1] === CARRIAGE_RETURN ? end - 1 : end);
      start = end + 1;
    }
    if (start < bytes.length) this.#keep(bytes.subarray(start));
    // What was kept so far is a view of a chunk that its owner may reuse.
    if (this.#data !== null) this.#data = Buffer.from(this.#data);
  }

  #keep(rest: Buffer): void {
    this.#rest = Buffer.from(rest.length > MAX_LINE_BYTES ? rest.subarray(0, MAX_LINE_BYTES) : rest);
  }

  #line(bytes: Buffer, start: number, end: number): void {
    if (start === end) {
      this.#end();
    } else if (startsWith(bytes, { start, end, field: DATA_FIELD })) {
      const value = bytes.subarray(valueStart(bytes, start + DATA_FIELD.length), end);
      this.#data = this.#data === null ? value : Buffer.concat([this.#data, Buffer.from("\n"), value]);
    } else if (startsWith(bytes, { start, end, field: EVENT_FIELD })) {
      const from = valueStart(bytes, start + EVENT_FIELD.length);
      this.#name = bytes.toString("latin1", from, Math.min(end, from + MAX_NAME_BYTES));
    }
  }

  #end(): void {
    const data = this.#data;
    const name = this.#name;
    this.#data = null;
    this.#name = null;
    if (data !== null) this.#onEvent(name ?? typeOf(data), data);
  }
}

function startsWith(bytes: Buffer, { start, end, field }: { start: number; end: number; field: Buffer }): boolean {
  if (end - start < field.length) return false;
  for (let i = 0; i < field.length; i++) if (bytes[start + i] !== field[i]) return false;
  return true;
}

function valueStart(bytes: Buffer, at: number): number {
  return bytes[at] === SPACE ? at + 1 : at;
}

/** The value of a leading `"type":"…"`, as all Messages events have it. */
function typeOf(data: Buffer): string {
  return /^\s*\{\s*"type"\s*:\s*"([^"\\]{1,100})"/.exec(data.toString("utf8", 0, 200))?.[1] ?? "message";
}
