import type { Dispatcher } from "undici";

import type { Connections } from "../../connection-pool.ts";

/** One request's answer, as a handler was told of it. */
export class RecordedAnswer implements Dispatcher.DispatchHandler {
  status = 0;
  headers: Readonly<Record<string, unknown>> = {};
  readonly chunks: Buffer[] = [];
  trailers: Readonly<Record<string, unknown>> = {};
  error: (Error & { code?: string }) | null = null;
  controller: Dispatcher.DispatchController | null = null;
  /** Ends that it was told of: there must be one. */
  ends = 0;
  /** Called with each chunk. */
  onChunk: (chunk: Buffer) => void = () => {};
  readonly over: Promise<this>;
  readonly begun: Promise<void>;
  #over: (answer: this) => void = () => {};
  #begun: () => void = () => {};

  constructor() {
    this.over = new Promise((resolve) => (this.#over = resolve));
    this.begun = new Promise((resolve) => (this.#begun = resolve));
  }

  /** Sends a request and returns its answer to be. */
  static of(connections: Connections, given: Partial<Dispatcher.DispatchOptions> = {}): RecordedAnswer {
    const answer = new RecordedAnswer();
    connections.dispatch({ path: "/", method: "POST", body: "{}", ...given }, answer);
    return answer;
  }

  get body(): string {
    return Buffer.concat(this.chunks).toString("latin1");
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.controller = controller;
  }

  onResponseStart(_: Dispatcher.DispatchController, status: number, headers: Record<string, unknown>): void {
    if (status < 200) return;
    this.status = status;
    this.headers = headers;
    this.#begun();
  }

  onResponseData(_: Dispatcher.DispatchController, chunk: Buffer): void {
    this.chunks.push(chunk);
    this.onChunk(chunk);
  }

  onResponseEnd(_: Dispatcher.DispatchController, trailers: Record<string, unknown>): void {
    this.ends++;
    this.trailers = trailers;
    this.#over(this);
  }

  onResponseError(_: Dispatcher.DispatchController, error: Error): void {
    this.ends++;
    this.error = error;
    this.#over(this);
  }
}
