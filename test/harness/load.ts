import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { ask, type HttpAnswer } from "./http-answer.ts";
import { eventNames } from "./message-events.ts";
import { messageBody, messageHeaders } from "./message-request.ts";
import { eventually } from "./waiting.ts";

/** Where the load goes; asked again for every request, for a restarted Weir has another port. */
export interface LoadTarget {
  readonly url: string;
  readonly key: string;
}

const AFTER_FAILURE_MS = 10;

/**
 * Requests without end over some connections, every other one a stream. Each has a session of its own, so that client,
 * upstream and ledger can be compared. Knows which responses were released: came whole, to the last byte.
 */
export class Load {
  /** Weir's request id of every released response, with its session. */
  readonly released = new Map<string, string>();
  /** Statuses of the answers that were no success. */
  readonly refusals = new Map<number, number>();
  /** Requests whose connection broke, or that found nobody. */
  broken = 0;
  readonly #target: LoadTarget;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #lanes: Promise<void>[];
  #sent = 0;
  #isOver = false;

  private constructor(target: LoadTarget, lanes: number) {
    this.#target = target;
    this.#lanes = Array.from({ length: lanes }, () => this.#lane());
  }

  static start(target: LoadTarget, options: { readonly lanes: number }): Load {
    return new Load(target, options.lanes);
  }

  /** Resolves when so many more responses have been released. */
  async more(count: number, timeoutMs = 60_000): Promise<void> {
    const wanted = this.released.size + count;
    await eventually(`${count} more responses are released`, () => this.released.size >= wanted, timeoutMs);
  }

  /** Sends nothing new and resolves when everything under way has ended. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#lanes);
    this.#agent.destroy();
  }

  async #lane(): Promise<void> {
    while (!this.#isOver) {
      const number = ++this.#sent;
      const session = `load-${number}`;
      const stream = number % 2 === 0;
      try {
        const answer = await ask(`${this.#target.url}/v1/messages`, {
          headers: messageHeaders(this.#target.key, { "x-claude-code-session-id": session }),
          body: messageBody({ stream }),
          agent: this.#agent,
        });
        await this.#note(answer, session, stream);
      } catch {
        this.broken++;
        await sleep(AFTER_FAILURE_MS);
      }
    }
  }

  async #note(answer: HttpAnswer, session: string, stream: boolean): Promise<void> {
    if (answer.status !== 200) {
      this.refusals.set(answer.status, (this.refusals.get(answer.status) ?? 0) + 1);
      await sleep(AFTER_FAILURE_MS);
      return;
    }
    const isReleased = answer.isWhole && (!stream || eventNames(answer.body).at(-1) === "message_stop");
    if (isReleased) this.released.set(String(answer.headers["request-id"]), session);
    else this.broken++;
  }
}
