import { performance } from "node:perf_hooks";
import { parentPort, workerData } from "node:worker_threads";

import { systemClock } from "../../../core/clock.ts";
import { Shard } from "./shard.ts";
import type { FromWorker, ToWorker, WorkerSetup } from "./worker-messages.ts";

// The entry of a load thread. Its parent gives exactly this.
const { plan, index, count } = workerData as WorkerSetup;

function post(message: FromWorker): void {
  // oxlint-disable-next-line unicorn/require-post-message-target-origin -- a thread's port, not a window
  parentPort?.postMessage(message);
}

const shard = new Shard(plan, { index, count, clock: systemClock, onSlice: (slice) => post({ type: "slice", slice }) });

async function run(startAtHrMs: number): Promise<void> {
  const before = performance.eventLoopUtilization();
  const startMs = systemClock.monotonicMs() + (startAtHrMs - Number(process.hrtime.bigint()) / 1e6);
  await shard.run(startMs);
  post({ type: "done", busyShare: performance.eventLoopUtilization(before).utilization });
  parentPort?.close();
}

parentPort?.on("message", (message: ToWorker) => {
  if (message.type === "stop") shard.stop(message.graceMs);
  else void run(message.startAtHrMs); // A rejection ends the thread, which its parent sees.
});
post({ type: "ready" });
