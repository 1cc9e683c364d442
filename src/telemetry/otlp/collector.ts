import type { OtlpMetrics } from "../metrics/otlp-metrics.ts";
import type { OtlpExport, OtlpSignal } from "./otlp-sink.ts";

/** A collector as the configuration has it. */
export interface CollectorSettings {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly metrics: boolean;
  readonly logs: boolean;
  readonly traces: boolean;
  /** What may wait for it. */
  readonly queueBytes: number;
  readonly timeoutMs: number;
}

/** One request to a collector. */
export interface CollectorRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
  readonly signal: AbortSignal;
}

/** Sends a request and gives the status of its answer; rejects when there was none. */
export type SendToCollector = (request: CollectorRequest) => Promise<number>;

/** So many exports are on their way to one collector at once: more would not make it faster. */
const IN_FLIGHT = 8;

/** What waits for one collector, and the way there. What does not fit is dropped: the newest, since the older is nearer to its end. */
export class Collector {
  readonly #settings: CollectorSettings;
  readonly #send: SendToCollector;
  readonly #metrics: OtlpMetrics;
  readonly #stopping: AbortSignal;
  readonly #host: string;
  readonly #base: URL;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #waiting: OtlpExport[] = [];
  #waitingBytes = 0;
  #inFlight = 0;
  #idle: (() => void) | null = null;

  constructor(
    settings: CollectorSettings,
    { send, metrics, stopping }: { send: SendToCollector; metrics: OtlpMetrics; stopping: AbortSignal },
  ) {
    this.#settings = settings;
    this.#send = send;
    this.#metrics = metrics;
    this.#stopping = stopping;
    this.#base = new URL(settings.url);
    this.#host = this.#base.host;
    this.#headers = { ...credentialOf(this.#base), ...settings.headers };
  }

  accept(received: OtlpExport): void {
    if (!this.#settings[received.signal]) return;
    if (this.#waitingBytes + received.body.length > this.#settings.queueBytes) {
      this.#metrics.forwarded(this.#host, received.signal, "dropped");
      return;
    }
    this.#waiting.push(received);
    this.#waitingBytes += received.body.length;
    this.#next();
  }

  /** Resolves when nothing waits and nothing is on its way. */
  async drained(): Promise<void> {
    if (this.#inFlight === 0) return;
    await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #next(): void {
    while (this.#inFlight < IN_FLIGHT) {
      const received = this.#waiting.shift();
      if (received === undefined) break;
      this.#inFlight++;
      void this.#forward(received).then(() => {
        this.#inFlight--;
        this.#waitingBytes -= received.body.length;
        this.#next();
        if (this.#inFlight === 0) this.#idle?.();
      });
    }
  }

  /** Never rejects: what went wrong is counted. */
  async #forward(received: OtlpExport): Promise<void> {
    const { signal, body, contentType, contentEncoding } = received;
    const headers = { ...this.#headers, "content-type": contentType };
    const timeout = AbortSignal.timeout(this.#settings.timeoutMs);
    try {
      const status = await this.#send({
        url: this.#urlOf(signal),
        headers: contentEncoding === null ? headers : { ...headers, "content-encoding": contentEncoding },
        body,
        signal: AbortSignal.any([timeout, this.#stopping]),
      });
      this.#metrics.forwarded(this.#host, signal, status >= 200 && status < 300 ? "delivered" : "refused");
    } catch {
      // Why is the collector's affair and would be told for each export of each client: the count says it.
      this.#metrics.forwarded(this.#host, signal, "failed");
    }
  }

  #urlOf(signal: OtlpSignal): string {
    const url = new URL(this.#base);
    url.username = "";
    url.password = "";
    url.hash = "";
    url.pathname = `${url.pathname.replace(/\/$/, "")}/v1/${signal}`;
    return url.href;
  }
}

/** What a URL with user and password says in a header. */
function credentialOf({ username, password }: URL): Readonly<Record<string, string>> {
  if (username === "" && password === "") return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString("base64")}` };
}
