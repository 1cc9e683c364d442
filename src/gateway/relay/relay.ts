import type { IncomingHttpHeaders } from "node:http";

import type { Dispatcher } from "undici";

import type { Target } from "../../routing/route-table.ts";
import type { AnswerTranslation } from "./answer-translation.ts";

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

/** An upstream's answer that the client gets. */
export interface Answer {
  readonly target: Target;
  readonly head: AnswerHead;
  /** Number of the attempt that it answers, from 1. */
  readonly attempts: number;
  readonly translation: AnswerTranslation;
}
