import type { Component } from "../../core/component.ts";
import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import { batchMeterOf, type BatchMeter, type LedgerRows, type MeterServices } from "./batch-meter.ts";
import { mapBounded } from "./map-bounded.ts";

const INTERVAL_MS = 60_000;
/** Unsettled batches that one sweep looks at, oldest first. */
const SWEEP_SIZE = 1_000;
const CONCURRENCY = 4;
/** Providers keep results for 29 days; what could not be metered by then never can be. */
const GIVE_UP_AFTER_MS = 31 * 24 * 3_600_000;

export interface BatchSettlerOptions {
  /** The ledger's rows, to find what an earlier process had settled. Without it only this process's memory counts. */
  readonly ledger: LedgerRows | null;
  readonly intervalMs?: number;
  /** Calls `run` every `intervalMs` until the returned function is called; replaced in tests. */
  readonly every?: (run: () => void, intervalMs: number) => () => void;
}

/**
 * Looks at unsettled batches again and again and settles those that have ended, so that a batch is metered also when its
 * owner never fetches the results. Start it before the gateway listens.
 */
export class BatchSettler implements Component {
  readonly name = "batch settler";
  readonly #services: MeterServices;
  readonly #options: Required<BatchSettlerOptions>;
  readonly #meter: BatchMeter;
  #cancel: (() => void) | null = null;
  #sweeping: Promise<void> | null = null;

  constructor(services: MeterServices, options: BatchSettlerOptions) {
    this.#services = services;
    this.#options = { intervalMs: INTERVAL_MS, every: everyInterval, ...options };
    this.#meter = batchMeterOf(services);
    if (options.ledger !== null) this.#meter.useLedger(options.ledger);
  }

  async start(): Promise<void> {
    this.#cancel ??= this.#options.every(() => void this.sweep(), this.#options.intervalMs);
  }

  async stop(): Promise<void> {
    this.#cancel?.();
    this.#cancel = null;
    await this.#meter.stop();
    await this.#sweeping;
  }

  /** Looks at every unsettled batch once. Never rejects; a sweep that is under way is joined. */
  sweep(): Promise<void> {
    this.#sweeping ??= this.#sweep()
      .catch((error: unknown) => {
        this.#services.logger.warn({ err: error }, "unsettled batches cannot be looked up; the next sweep tries again");
      })
      .finally(() => (this.#sweeping = null));
    return this.#sweeping;
  }

  async #sweep(): Promise<void> {
    await mapBounded(this.#meter.orphans, CONCURRENCY, (batch) => this.#visit(batch));
    const batches = await this.#services.objects.unsettledBatches(SWEEP_SIZE);
    await mapBounded(batches, CONCURRENCY, (batch) => this.#visit(batch));
  }

  async #visit(batch: OwnedObject): Promise<void> {
    const { logger, windowClock } = this.#services;
    const log = { batch: batch.id, upstream: batch.target };
    let failure: unknown;
    try {
      if ((await this.#meter.settle(batch)) !== "gone") return;
      failure = new Error("the upstream does not know the batch");
    } catch (error) {
      failure = error;
    }
    if (this.#meter.stopped) return;
    if (windowClock.nowMs() - batch.createdAtMs < GIVE_UP_AFTER_MS) {
      logger.warn({ ...log, err: failure }, "batch not settled yet");
      return;
    }
    logger.error({ ...log, err: failure }, "a batch could never be metered; it is given up and its usage is unknown");
    await this.#meter.giveUp(batch);
  }
}

function everyInterval(run: () => void, intervalMs: number): () => void {
  const timer = setInterval(run, intervalMs).unref();
  return () => clearInterval(timer);
}
