import type { IncomingHttpHeaders } from "node:http";

import type { Dispatcher } from "undici";

/** What receives an upstream's answer once it is decided that the client gets it. */
export interface Relay {
  /** Resolves when the upstream's answer has ended, in whatever way, and `exchange.result` says how. */
  readonly done: Promise<void>;
  data(chunk: Buffer): void;
  end(): void;
  /** The upstream's connection broke or timed out. */
  fail(error: Error): void;
  /** The client went away; the upstream has been aborted. */
  clientGone(): void;
  /** Called once after `done`: gives the client what was held back, or, when the entry is not durable, a cut or an error. */
  release(durable: boolean): void;
}

/** The head of an upstream's answer. */
export interface AnswerHead {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly controller: Dispatcher.DispatchController;
}
