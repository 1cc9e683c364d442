import { setMaxListeners } from "node:events";

import type { Clock } from "../../../core/clock.ts";
import { schedule, type Arrival } from "../arrival/schedule.ts";
import { bytesForTokens } from "../body/body-sizes.ts";
import { BodyStore } from "../body/body-store.ts";
import type { RequestTemplate } from "../body/request-template.ts";
import { Sender } from "../exchange/sender.ts";
import { Recorder } from "../measure/recorder.ts";
import type { Slice } from "../measure/slice.ts";
import type { LoadPlan } from "../plan/load-plan.ts";
import { hash32, seededRandom, type Random } from "../random.ts";
import { runClosedLoad } from "./closed-load.ts";
import { runOpenLoad } from "./open-load.ts";
import { timer, TimerPacer } from "./pacer.ts";
import { RateCap } from "./rate-cap.ts";

/** How often what was measured is handed on. */
const SLICE_MS = 200;

interface ShardOptions {
  /** Which part of the load this thread drives: users and arrivals are dealt out in turn. */
  readonly index: number;
  readonly count: number;
  readonly clock: Clock;
  readonly onSlice: (slice: Slice) => void;
}

/** One thread's part of a run. Making it writes the bodies, which takes a while; `run` starts sending. */
export class Shard {
  readonly #plan: LoadPlan;
  readonly #options: ShardOptions;
  readonly #bodies: BodyStore;
  readonly #sender: Sender;
  #recorder: Recorder | null = null;
  readonly #noMoreSends = new AbortController();
  readonly #cut = new AbortController();

  constructor(plan: LoadPlan, options: ShardOptions) {
    this.#plan = plan;
    this.#options = options;
    this.#bodies = new BodyStore(plan.request, plan.seed);
    if (plan.load.kind === "trace" && plan.load.trace.kind === "requests") {
      for (const { inputTokens } of plan.load.trace.requests) this.#bodies.ofSize(bytesForTokens(inputTokens));
    }
    this.#sender = new Sender(plan, options.clock, Math.max(1, Math.ceil(plan.limits.maxInFlight / options.count)));
    // Every waiting user listens.
    setMaxListeners(0, this.#noMoreSends.signal, this.#cut.signal);
  }

  /** Begins the warm-up at `startMs` (monotonic) and runs to the end of the load and of its answers. Once only. */
  async run(startMs: number): Promise<void> {
    const { load, limits, warmupMs } = this.#plan;
    const measureFromMs = startMs + warmupMs;
    const recorder = new Recorder({
      clock: this.#options.clock,
      measureFromMs,
      windowEndMs: load.durationMs === null ? null : measureFromMs + load.durationMs,
      open: load.kind !== "closed",
      load: () => this.#sender,
      onSlice: this.#options.onSlice,
    });
    this.#recorder = recorder;
    const sweeping = setInterval(() => this.#sender.sweep(), Math.min(100, limits.timeoutMs / 4));
    const slicing = setInterval(() => recorder.flush(), SLICE_MS);
    const draining = this.#drain(measureFromMs);
    try {
      await this.#drive(startMs, recorder);
    } finally {
      clearInterval(sweeping);
      clearInterval(slicing);
      this.#noMoreSends.abort();
      this.#cut.abort();
      await draining;
      recorder.flush();
    }
  }

  /** Sends no more, also not what waits for a connection; what is in flight may end within `graceMs` and is then cut. */
  stop(graceMs: number): void {
    this.#sender.refuse();
    this.#noMoreSends.abort();
    this.#end(graceMs);
  }

  /** Ends the load; what is due already is still sent, as its waiting is part of what is measured. */
  #end(graceMs: number): void {
    this.#recorder?.endWindow();
    // An open load ends by its schedule. If it is behind, sending what was due is still to be measured.
    if (this.#plan.load.kind === "closed") this.#noMoreSends.abort();
    void timer(graceMs, this.#cut.signal).then(() => {
      this.#noMoreSends.abort();
      this.#cut.abort();
    });
  }

  /** Stops the load when its time is over, and cuts what is still in flight when the drain is over too. */
  async #drain(measureFromMs: number): Promise<void> {
    const { load, limits } = this.#plan;
    if (load.durationMs !== null) {
      await timer(measureFromMs + load.durationMs - this.#options.clock.monotonicMs(), this.#noMoreSends.signal);
      this.#end(limits.drainMs);
    }
    await aborted(this.#cut.signal);
    await this.#sender.close();
  }

  #drive(startMs: number, recorder: Recorder): Promise<void> {
    const { load, seed, warmupMs, limits } = this.#plan;
    const { clock, index, count } = this.#options;
    const measureFromMs = startMs + warmupMs;
    const signal = this.#noMoreSends.signal;
    if (load.kind === "closed") {
      const users = Array.from({ length: load.users }, (_, user) => user).filter((user) => user % count === index);
      return runClosedLoad(load, {
        users,
        seed,
        clock,
        pacer: new TimerPacer(clock, false),
        cap: new RateCap(limits.maxRequestsPerSecond / count),
        startMs,
        measureFromMs,
        signal,
        send: (order) => this.#sendAsUser(order, recorder),
        onCapped: () => recorder.capped(),
      });
    }
    return runOpenLoad(schedule(load, { warmupMs, seed }), {
      clock,
      pacer: new TimerPacer(clock, true),
      measureFromMs,
      signal,
      mine: (sequence) => sequence % count === index,
      send: (arrival, sequence, dueMs) => this.#sendArrival({ arrival, sequence, dueMs }, recorder),
      onUnsent: (dueMs) => {
        recorder.due(dueMs);
        recorder.unsent(dueMs);
      },
    });
  }

  #sendAsUser(order: UserOrder, recorder: Recorder): Promise<void> {
    const template = this.#bodies.pick(order.random);
    const { maxTokens, sharedPrefix } = this.#plan.request;
    const key = `${order.user}/${order.sequence}`;
    return this.#send(template, { key, client: order.user, dueMs: order.dueMs, maxTokens, sharedPrefix }, recorder);
  }

  #sendArrival({ arrival, sequence, dueMs }: DueArrival, recorder: Recorder): Promise<void> {
    const { request, seed } = this.#plan;
    // A random source of its own for each arrival: which thread sends it must not change what it sends.
    const random = seededRandom(seed, hash32(`arrival ${sequence}`));
    const template =
      arrival.inputTokens === null
        ? this.#bodies.pick(random)
        : this.#bodies.ofSize(bytesForTokens(arrival.inputTokens));
    const maxTokens = arrival.outputTokens === null ? request.maxTokens : Math.max(1, Math.round(arrival.outputTokens));
    const sharedPrefix = arrival.sharedPrefix ?? request.sharedPrefix;
    return this.#send(
      template,
      { key: `a${sequence}`, client: arrival.client, dueMs, maxTokens, sharedPrefix },
      recorder,
    );
  }

  async #send(template: RequestTemplate, order: SendOrder, recorder: Recorder): Promise<void> {
    const { dueMs, client, maxTokens, sharedPrefix } = order;
    const nonce = hex(hash32(`${this.#plan.salt} ${order.key}`)) + hex(hash32(`${order.key} ${this.#plan.salt}`));
    recorder.due(dueMs);
    const result = await this.#sender.send({
      template,
      marks: { nonce, user: hex(client), maxTokens, sharedPrefix },
      dueMs,
      client,
      onGap: (gapMs) => recorder.gap(dueMs, gapMs),
    });
    if (result === null) recorder.unsent(dueMs);
    else recorder.ended(result);
  }
}

interface UserOrder {
  readonly user: number;
  readonly sequence: number;
  readonly dueMs: number;
  readonly random: Random;
}

interface DueArrival {
  readonly arrival: Arrival;
  readonly sequence: number;
  readonly dueMs: number;
}

interface SendOrder {
  /** Names the request within the run. */
  readonly key: string;
  readonly client: number;
  readonly dueMs: number;
  readonly maxTokens: number;
  readonly sharedPrefix: number;
}

function hex(value: number): string {
  return value.toString(16).padStart(8, "0").slice(-8);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    signal.addEventListener("abort", () => resolve(), { once: true });
  });
}
