import type { IncomingHttpHeaders } from "node:http";
import { Readable } from "node:stream";

import type { Dispatcher } from "undici";

import { WeirError } from "../../core/weir-error.ts";
import type { Upstream, UpstreamRequest } from "../../upstream/upstream.ts";
import { ClientGone } from "../http/body-reader.ts";
import { errorCode, isTimeout } from "../relay/upstream-failure.ts";

/** An answer whose body has still to be read: all of it, or destroyed, which closes the connection. */
export interface UpstreamAnswer {
  readonly upstream: Upstream;
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  /** Pauses the upstream while nobody reads. Fails with a WeirError when the upstream breaks off. */
  readonly body: Readable;
}

/** An answer's body is read whole only up to this size; descriptions of batches and files are below 2 KiB. */
const MAX_WHOLE_BYTES = 1024 * 1024;

/**
 * Sends a request and resolves with the head of its answer, whatever its status, except that a redirect and a refusal of
 * Weir's own credential (401) are failures of the upstream. Rejects with WeirError, or with what `signal` was aborted with.
 */
export function askUpstream(
  upstream: Upstream,
  request: UpstreamRequest,
  signal?: AbortSignal,
): Promise<UpstreamAnswer> {
  const question = new Question(upstream, signal ?? null);
  void question.send(request);
  return question.answer;
}

/** The whole body of an answer. Rejects with WeirError when it is too long or breaks off. */
export async function readWhole({ body, upstream }: UpstreamAnswer): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes: Buffer = chunk;
    size += bytes.length;
    if (size > MAX_WHOLE_BYTES) {
      throw new WeirError("weir:upstream:failed", `${upstream.name} sent an answer that is too long.`);
    }
    chunks.push(bytes);
  }
  return Buffer.concat(chunks, size);
}

/** One request to an upstream: undici's calls turned into a promise of a head and a stream with back-pressure. */
class Question implements Dispatcher.DispatchHandler {
  readonly answer: Promise<UpstreamAnswer>;
  readonly #upstream: Upstream;
  readonly #signal: AbortSignal | null;
  readonly #onAbort = (): void => this.#abort();
  #resolve: (answer: UpstreamAnswer) => void = () => {};
  #reject: (error: Error) => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #body: Readable | null = null;
  #over = false;

  constructor(upstream: Upstream, signal: AbortSignal | null) {
    this.#upstream = upstream;
    this.#signal = signal;
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
    if (signal?.aborted === true) this.#reject(reasonOf(signal));
    else signal?.addEventListener("abort", this.#onAbort);
  }

  /** Sends it, signed, unless it was given up meanwhile. Never rejects: what goes wrong ends in `answer`. */
  async send(request: UpstreamRequest): Promise<void> {
    try {
      const signed = await this.#upstream.sign(request);
      if (this.#signal?.aborted !== true) this.#upstream.dispatch(signed, this);
    } catch (error) {
      this.#reject(error instanceof Error ? error : new Error(String(error)));
    }
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#signal?.aborted === true) this.#abort();
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    if ((status >= 300 && status < 400) || status === 401) {
      const what = status === 401 ? "refused Weir's own credential (401)" : `answered with a redirect (${status})`;
      controller.abort(new WeirError("weir:upstream:failed", `${this.#upstream.name} ${what}.`));
      return;
    }
    const body = new Readable({
      read: () => controller.resume(),
      destroy: (error, done) => {
        if (!this.#over) controller.abort(error ?? new Error("the answer is not wanted any more"));
        done(error);
      },
    });
    // An answer that nobody reads any more may fail without anybody to tell.
    body.on("error", () => {});
    this.#body = body;
    this.#resolve({ upstream: this.#upstream, status, headers, body });
  }

  onResponseData(controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#body?.push(chunk) === false) controller.pause();
  }

  onResponseEnd(): void {
    this.#finish();
    this.#body?.push(null);
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#finish();
    const failure = this.#failure(error);
    this.#reject(failure);
    this.#body?.destroy(failure);
  }

  #abort(): void {
    if (this.#signal !== null) this.#controller?.abort(reasonOf(this.#signal));
  }

  #finish(): void {
    this.#over = true;
    this.#signal?.removeEventListener("abort", this.#onAbort);
  }

  #failure(error: Error): Error {
    if (error instanceof WeirError || error instanceof ClientGone || this.#signal?.aborted === true) return error;
    const { name } = this.#upstream;
    if (isTimeout(error)) {
      return new WeirError("weir:upstream:timeout", `${name} did not answer in time.`, { cause: error });
    }
    const what = this.#body === null ? "did not answer" : "broke off its answer";
    return new WeirError("weir:upstream:failed", `${name} ${what} (${errorCode(error)}).`, { cause: error });
  }
}

function reasonOf(signal: AbortSignal): Error {
  return signal.reason instanceof Error ? signal.reason : new Error("aborted");
}
