import type { Clock } from "../core/clock.ts";

/**
 * One line about one settled exchange. Its strings are Weir's own (ids, names from the configuration, canonical model
 * names), never a caller's: they need no search for credentials, and those other than the model no escaping.
 */
export interface AccessLine {
  readonly requestId: string;
  readonly keyId: string | null;
  readonly endpoint: string;
  readonly model: string;
  readonly target: string | null;
  readonly status: number;
  readonly outcome: string;
  readonly milliseconds: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly costMicroUsd: number;
}

/** Where finished lines go: a write of whole lines. */
export type LineSink = (text: string) => void;

const FLUSH_BYTES = 16_384;
const FLUSH_MS = 250;

/**
 * The log of exchanges as JSON lines in pino's shape, written by hand into a buffer: a line costs a tenth of a logger call,
 * which matters once a request. Everything else logs through pino.
 */
export class AccessLog {
  readonly #clock: Clock;
  readonly #sink: LineSink;
  #buffer = "";
  #timer: NodeJS.Timeout | null = null;

  constructor(clock: Clock, sink: LineSink) {
    this.#clock = clock;
    this.#sink = sink;
  }

  write(line: AccessLine): void {
    this.#buffer +=
      `{"level":30,"time":${this.#clock.nowMs()},"msg":"exchange","request_id":"${line.requestId}",` +
      `"key_id":${line.keyId === null ? "null" : `"${line.keyId}"`},"endpoint":"${line.endpoint}",` +
      `"model":${JSON.stringify(line.model)},"target":${line.target === null ? "null" : `"${line.target}"`},` +
      `"status":${line.status},"outcome":"${line.outcome}","ms":${line.milliseconds.toFixed(1)},` +
      `"input_tokens":${line.inputTokens},"output_tokens":${line.outputTokens},"cost_micro_usd":${line.costMicroUsd}}\n`;
    if (this.#buffer.length >= FLUSH_BYTES) this.flush();
    else this.#timer ??= setTimeout(() => this.flush(), FLUSH_MS).unref();
  }

  /** Writes what is buffered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#buffer === "") return;
    const text = this.#buffer;
    this.#buffer = "";
    this.#sink(text);
  }
}
