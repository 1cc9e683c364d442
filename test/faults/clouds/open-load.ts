import { Agent } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { ask } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { MESSAGES } from "./client-format.ts";

/** One request of a load and how it went. Times in milliseconds. */
export interface Shot {
  readonly session: string;
  /** When it was due, since the load began: latencies count from there, so that a stall is not forgiven. */
  readonly atMs: number;
  readonly latencyMs: number;
  readonly isStream: boolean;
  /** `cut`: a stream that visibly broke off after its first event. */
  readonly end: "right" | "cut" | "wrong";
  readonly status: number;
  readonly upstream: string | null;
  /** Number of the attempt that was answered; 0 when none was. */
  readonly attempt: number;
}

export interface LoadOptions {
  readonly weir: { readonly url: string; readonly key: string };
  readonly model: string;
  readonly ratePerSecond: number;
}

const TICK_MS = 5;

/** Requests at a fixed rate, whether the earlier ones have ended or not; every other one is a stream. */
export class OpenLoad {
  readonly shots: Shot[] = [];
  readonly #options: LoadOptions;
  readonly #agent = new Agent({ keepAlive: true });
  readonly #underWay = new Set<Promise<void>>();
  readonly #startedAt = performance.now();
  readonly #loop: Promise<void>;
  #sent = 0;
  #isOver = false;

  private constructor(options: LoadOptions) {
    this.#options = options;
    this.#loop = this.#run();
  }

  static start(options: LoadOptions): OpenLoad {
    return new OpenLoad(options);
  }

  /** Milliseconds since it began. */
  get nowMs(): number {
    return performance.now() - this.#startedAt;
  }

  /** Lets it go on for so long. */
  async goOn(durationMs: number): Promise<void> {
    await sleep(durationMs);
  }

  /** Sends nothing new, and resolves when all has been answered. */
  async stop(): Promise<void> {
    this.#isOver = true;
    await this.#loop;
    await Promise.all(this.#underWay);
    this.#agent.destroy();
  }

  async #run(): Promise<void> {
    const everyMs = 1_000 / this.#options.ratePerSecond;
    while (!this.#isOver) {
      while (this.#sent * everyMs <= this.nowMs) {
        const shot = this.#shoot(this.#sent, this.#sent * everyMs).finally(() => this.#underWay.delete(shot));
        this.#underWay.add(shot);
        this.#sent++;
      }
      await sleep(TICK_MS);
    }
  }

  /** Never rejects. */
  async #shoot(number: number, atMs: number): Promise<void> {
    const { weir, model } = this.#options;
    const session = `shot-${number}`;
    const isStream = number % 2 === 0;
    const reply = `shot ${number} and the words that come with it`;
    const asking = { model, text: `Reply with exactly: ${reply}`, isStream };
    const base = { session, atMs, isStream };
    try {
      const answer = await ask(weir.url + MESSAGES.path(asking), {
        headers: messageHeaders(weir.key, { "x-claude-code-session-id": session }),
        body: MESSAGES.body(asking),
        agent: this.#agent,
      });
      const view = (isStream && answer.status === 200 ? MESSAGES.viewStream : MESSAGES.viewWhole)(answer.body);
      const isRight = answer.isWhole && view.end === "proper" && view.text === reply;
      const isCut = isStream && !answer.isWhole && view.end !== "proper" && view.events > 0;
      const route = String(answer.headers["x-weir-route"] ?? "");
      this.shots.push({
        ...base,
        latencyMs: this.nowMs - atMs,
        end: isRight ? "right" : isCut ? "cut" : "wrong",
        status: answer.status,
        upstream: String(answer.headers["x-weir-upstream"] ?? "none"),
        attempt: Number(/attempt=(\d+)/.exec(route)?.[1] ?? 0),
      });
    } catch {
      this.shots.push({ ...base, latencyMs: this.nowMs - atMs, end: "wrong", status: 0, upstream: null, attempt: 0 });
    }
  }
}

/** The shots that were due within a span of the load. */
export function dueWithin(shots: readonly Shot[], fromMs: number, toMs: number): Shot[] {
  return shots.filter(({ atMs }) => atMs >= fromMs && atMs < toMs);
}

/** The part of some shots that one upstream answered. */
export function shareOf(shots: readonly Shot[], upstream: string): number {
  return shots.length === 0 ? 0 : shots.filter((shot) => shot.upstream === upstream).length / shots.length;
}
