import { Worker } from "node:worker_threads";

import type { Clock } from "../../../core/clock.ts";
import type { LoadPlan } from "../plan/load-plan.ts";
import type { Crew, OnThreadSlice } from "./crew.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./worker-messages.ts";

/** Drives the load from several threads, each with its own part of the users or arrivals. */
export class WorkerCrew implements Crew {
  readonly #clock: Clock;
  readonly #onSlice: OnThreadSlice;
  readonly #workers: Worker[];
  readonly #ready: Promise<void>;
  readonly #done: Promise<void>;
  #busyShare = 0;

  constructor(plan: LoadPlan, clock: Clock, onSlice: OnThreadSlice) {
    this.#clock = clock;
    this.#onSlice = onSlice;
    this.#workers = Array.from({ length: plan.threads }, (_, index) => {
      const setup: WorkerSetup = { plan, index, count: plan.threads };
      return new Worker(workerFile(), { workerData: setup });
    });
    this.#ready = all(this.#workers.map((worker) => message(worker, "ready")));
    this.#done = all(this.#workers.map((worker, thread) => this.#follow(worker, thread)));
    // Whoever waits gets the rejection; nobody may be waiting for one of the two when the other has failed.
    this.#ready.catch(() => {});
    this.#done.catch(() => {});
  }

  ready(): Promise<void> {
    return Promise.race([this.#ready, this.#done]);
  }

  run(startMs: number): Promise<void> {
    // Threads have clocks of their own origin; how far away the start is means the same to all.
    const startAtHrMs = Number(process.hrtime.bigint()) / 1e6 + (startMs - this.#clock.monotonicMs());
    this.#post({ type: "start", startAtHrMs });
    return this.#done;
  }

  stop(graceMs: number): void {
    this.#post({ type: "stop", graceMs });
  }

  async close(): Promise<void> {
    await Promise.all(this.#workers.map((worker) => worker.terminate()));
  }

  busyShare(): number {
    return this.#busyShare;
  }

  #post(message: ToWorker): void {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
    for (const worker of this.#workers) worker.postMessage(message);
  }

  #follow(worker: Worker, thread: number): Promise<void> {
    return new Promise((resolve, reject) => {
      // The worker's own code posts nothing else.
      worker.on("message", (message: FromWorker) => {
        if (message.type === "slice") this.#onSlice(message.slice, thread);
        if (message.type === "done") this.#busyShare = Math.max(this.#busyShare, message.busyShare);
      });
      worker.once("error", reject);
      worker.once("exit", (code) =>
        code === 0 ? resolve() : reject(new Error(`load thread ${thread} exited with ${code}`)),
      );
    });
  }
}

function message(worker: Worker, type: FromWorker["type"]): Promise<void> {
  return new Promise((resolve) => {
    worker.on("message", (message: FromWorker) => {
      if (message.type === type) resolve();
    });
  });
}

async function all(promises: readonly Promise<void>[]): Promise<void> {
  await Promise.all(promises);
}

/** The worker's module: TypeScript in a checkout, JavaScript in the published package. */
function workerFile(): URL {
  const source = new URL("./load-worker.ts", import.meta.url);
  return import.meta.url.endsWith(".ts") ? source : new URL(source.href.replace(/\.ts$/, ".js"));
}
