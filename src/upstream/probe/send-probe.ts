import type { Dispatcher } from "undici";

import type { Upstream, UpstreamRequest } from "../upstream.ts";
import { probeRequest, type Probe } from "./probe-request.ts";

/** An upstream's answer to a probe. */
export interface ProbeAnswer {
  readonly status: number;
  readonly tookMs: number;
}

export interface ProbeOptions {
  /** Whether to send the credential; without it reachable is all that can be seen. */
  readonly signed: boolean;
  readonly timeoutMs: number;
  /** Ends the probe early. */
  readonly signal?: AbortSignal;
}

/**
 * Asks an upstream over the very connections that exchanges use: name, proxy, TLS and the credential are all tried at once, and
 * nothing is spent. Rejects with what stopped it: no connection, no credential, no time.
 */
export async function sendProbe(upstream: Upstream, probe: Probe, options: ProbeOptions): Promise<ProbeAnswer> {
  const unsigned = probeRequest(upstream, probe);
  const request = options.signed ? await upstream.sign(unsigned) : upstream.withFixedHeaders(unsigned);
  return await new Sending(upstream, options).send(request);
}

/** One probe on its way. */
class Sending implements Dispatcher.DispatchHandler {
  readonly #upstream: Upstream;
  readonly #options: ProbeOptions;
  readonly #beganMs = performance.now();
  readonly #answer = Promise.withResolvers<ProbeAnswer>();
  #controller: Dispatcher.DispatchController | null = null;
  #ended: Error | null = null;
  #status = 0;

  constructor(upstream: Upstream, options: ProbeOptions) {
    this.#upstream = upstream;
    this.#options = options;
  }

  async send(request: UpstreamRequest): Promise<ProbeAnswer> {
    const { timeoutMs, signal } = this.#options;
    const late = Object.assign(new Error(`no answer within ${timeoutMs / 1000} s`), { name: "TimeoutError" });
    const timer = setTimeout(() => this.#end(late), timeoutMs);
    const stopped = (): void => this.#end(new DOMException("the probe was stopped", "AbortError"));
    signal?.addEventListener("abort", stopped, { once: true });
    if (signal?.aborted === true) stopped();
    else this.#upstream.dispatch(request, this);
    try {
      return await this.#answer.promise;
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", stopped);
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#ended !== null) controller.abort(this.#ended);
  }

  onResponseStart(_controller: Dispatcher.DispatchController, status: number): void {
    this.#status = status;
  }

  onResponseData(): void {}

  onResponseEnd(): void {
    this.#answer.resolve({ status: this.#status, tookMs: performance.now() - this.#beganMs });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#answer.reject(error);
  }

  #end(error: Error): void {
    this.#ended = error;
    this.#controller?.abort(error);
    this.#answer.reject(error);
  }
}
