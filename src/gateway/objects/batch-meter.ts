import { WeirError } from "../../core/weir-error.ts";
import type { Entry } from "../../message/entry.ts";
import type { OwnedObject, OwnedObjectStore } from "../../store/ports/owned-objects.ts";
import type { UsageStore } from "../../store/ports/usage.ts";
import type { Upstream, UpstreamRequest } from "../../upstream/upstream.ts";
import type { GatewayServices } from "../services.ts";
import { hasEnded } from "./answer-client.ts";
import { askUpstream, readWhole, type UpstreamAnswer } from "./ask-upstream.ts";
import { batchEntries, batchExchangeId, batchPayer, type BatchPayer } from "./batch-entries.ts";
import { BatchTally } from "./batch-tally.ts";
import { isJsonObject, parseJsonObject, type JsonObject } from "./json-object.ts";
import { linesOf } from "./json-lines.ts";
import { ownHeaders } from "./object-headers.ts";
import { upstreamNamed } from "./object-upstreams.ts";
import { BASE_PATH } from "./operation.ts";
import { modelPricer } from "./priced-model.ts";
import { stored } from "./store-failure.ts";

/** `settled`: its usage is in the ledger. `running`: it has not ended. `gone`: the upstream does not know it. */
export type SettleOutcome = "settled" | "running" | "gone";

/** One result of a batch is one message; longer lines than this are not looked into. */
const MAX_LINE_BYTES = 64 * 1024 * 1024;
/** Rows of one batch that are looked for in the ledger; there is one for each model and price in it. */
const MAX_ROWS = 1_000;

/** Where the ledger can be asked which rows of a batch it has. */
export type LedgerRows = Pick<UsageStore, "entries">;

/** What settling works with. */
export type MeterServices = Pick<
  GatewayServices,
  "objects" | "journal" | "budgets" | "keys" | "windowClock" | "logger" | "snapshot"
>;

/**
 * Puts what batches used into the ledger and the budgets, exactly once each, whoever asks and however often: one settling of
 * a batch runs at a time, a row that is durable is neither written nor charged again by this process, and rows that an
 * earlier process left behind are found in the ledger.
 */
export class BatchMeter {
  readonly #services: MeterServices;
  readonly #inFlight = new Map<string, Promise<SettleOutcome>>();
  /** Batches with durable rows that are not yet marked as settled: the attempts that are done. */
  readonly #done = new Map<string, Set<number>>();
  /** Batches whose owner could not be recorded; at best they are in the store all the same. */
  readonly #orphans = new Map<string, OwnedObject>();
  readonly #stopping = new AbortController();
  #ledger: LedgerRows | null = null;

  constructor(services: MeterServices) {
    this.#services = services;
  }

  /** Where to look for rows that an earlier process wrote before it could mark their batch as settled. */
  useLedger(ledger: LedgerRows): void {
    this.#ledger = ledger;
  }

  get orphans(): readonly OwnedObject[] {
    return [...this.#orphans.values()];
  }

  /** Takes on a batch that runs upstream although nobody owns it, so that what it used is metered all the same. */
  adopt(batch: OwnedObject): void {
    this.#orphans.set(batch.id, batch);
  }

  /**
   * Settles a batch if it has ended. `headers` are those that the upstream needs to find it; by default Weir's own. Rejects
   * (WeirError) when the upstream, the journal or the store fails; the same call may succeed later.
   */
  settle(batch: OwnedObject, headers?: readonly string[]): Promise<SettleOutcome> {
    if (batch.settledAtMs !== null) return Promise.resolve("settled");
    const running = this.#inFlight.get(batch.id);
    if (running !== undefined) return running;
    const work = this.#settle(batch, headers).finally(() => this.#inFlight.delete(batch.id));
    this.#inFlight.set(batch.id, work);
    return work;
  }

  /** Begins to settle a batch; what goes wrong is logged and made up for by the next try. */
  begin(batch: OwnedObject, headers?: readonly string[]): void {
    this.settle(batch, headers).catch((error: unknown) => {
      if (this.stopped) return;
      this.#services.logger.warn({ batch: batch.id, upstream: batch.target, err: error }, "batch not settled yet");
    });
  }

  /** Stops trying to settle a batch: nobody can know any more what it used. */
  async giveUp(batch: OwnedObject): Promise<void> {
    await this.#close(batch);
  }

  get stopped(): boolean {
    return this.#stopping.signal.aborted;
  }

  /** Ends all work under way and resolves when it has ended; later calls of `settle` reject. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("Weir is stopping"));
    await Promise.allSettled(this.#inFlight.values());
  }

  async #settle(given: OwnedObject, headers: readonly string[] | undefined): Promise<SettleOutcome> {
    this.#stopping.signal.throwIfAborted();
    const { objects, snapshot } = this.#services;
    const orphan = this.#orphans.has(given.id);
    // The caller may have read the record before another settling ended.
    const batch = orphan ? given : ((await stored("look up a batch", () => objects.get("batch", given.id))) ?? given);
    if (batch.settledAtMs !== null) return "settled";
    const upstream = upstreamNamed(snapshot().routes, batch.target);
    if (upstream === null) {
      throw new WeirError("weir:upstream:no_target", `${batch.target}, which holds ${batch.id}, is not configured.`);
    }
    const source = {
      upstream,
      headers: [...(headers ?? ownHeaders(upstream))],
      path: `${BASE_PATH.batch}/${batch.id}`,
    };
    const document = await this.#describe(source);
    if (document === null) return "gone";
    if (!hasEnded(document)) return "running";
    await this.#record(batch, document, await this.#tally(source, document));
    await this.#close(batch);
    return "settled";
  }

  /** What is done is forgotten only after the mark, which keeps everybody else from settling the batch again. */
  async #close({ id }: OwnedObject): Promise<void> {
    const { objects, windowClock } = this.#services;
    await stored("mark a batch as settled", () => objects.markSettled(id, windowClock.nowMs()));
    this.#orphans.delete(id);
    this.#done.delete(id);
  }

  async #describe(source: Source): Promise<JsonObject | null> {
    const answer = await this.#ask(source, "");
    const document = parseJsonObject(await readWhole(answer));
    if (answer.status === 404) return null;
    if (answer.status !== 200 || document === null) throw unexpected(answer);
    return document;
  }

  async #tally(source: Source, document: JsonObject): Promise<BatchTally> {
    const answer = await this.#ask(source, "/results");
    if (answer.status !== 200) {
      answer.body.destroy();
      throw unexpected(answer);
    }
    const tally = new BatchTally(modelPricer(this.#services.snapshot(), source.upstream.name));
    for await (const line of linesOf(answer.body, MAX_LINE_BYTES)) tally.add(line);
    const counts = document["request_counts"];
    const expected = isJsonObject(counts) ? Number(counts["succeeded"] ?? 0) : 0;
    if (tally.succeeded + tally.unreadable < expected) {
      const what = `${tally.succeeded} of ${expected} answered requests`;
      throw new WeirError("weir:upstream:failed", `${source.upstream.name} gave the results of only ${what}.`);
    }
    return tally;
  }

  #ask({ upstream, headers, path }: Source, below: string): Promise<UpstreamAnswer> {
    const request: UpstreamRequest = { path: path + below, method: "GET", headers: [...headers], body: null };
    return askUpstream(upstream, request, this.#stopping.signal);
  }

  /** Makes every row durable and then counts it; what is done already is left alone. */
  async #record(batch: OwnedObject, document: JsonObject, tally: BatchTally): Promise<void> {
    const { keys, windowClock, snapshot, logger } = this.#services;
    if (tally.unreadable > 0) {
      logger.error(
        { batch: batch.id, lines: tally.unreadable },
        "results of a batch that cannot be read are not metered",
      );
    }
    const payer = batchPayer(batch, keys.identities);
    const entries = batchEntries(batch, tally.uses(), {
      payer,
      document,
      usageSource: tally.unreadable > 0 ? "partial" : "reported",
      priceVersion: snapshot().prices.version,
      nowMs: windowClock.nowMs(),
    });
    const done = await this.#attemptsDone(batch);
    for (const entry of entries) {
      if (done.has(entry.attempt)) continue;
      await this.#append(entry);
      done.add(entry.attempt);
      this.#charge(payer, entry);
    }
  }

  async #attemptsDone(batch: OwnedObject): Promise<Set<number>> {
    const known = this.#done.get(batch.id);
    if (known !== undefined) return known;
    const { organizationId } = batch;
    const query = { organizationId, exchangeId: batchExchangeId(batch.id), limit: MAX_ROWS };
    const ledger = this.#ledger;
    const rows = ledger === null ? [] : await stored("look a batch up in the ledger", () => ledger.entries(query));
    const done = new Set(rows.map((row) => row.attempt));
    this.#done.set(batch.id, done);
    return done;
  }

  #charge({ path, timeZone }: BatchPayer, { costMicroUsd }: Entry): void {
    this.#services.budgets.charge(path, timeZone, costMicroUsd);
  }

  #append(entry: Entry): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#services.journal.append(entry, (error) => {
        if (error === null) resolve();
        else
          reject(
            new WeirError("weir:server:journal_full", "The usage of this batch could not be recorded.", {
              cause: error,
            }),
          );
      });
    });
  }
}

/** How a batch is reached. */
interface Source {
  readonly upstream: Upstream;
  readonly headers: readonly string[];
  readonly path: string;
}

function unexpected({ upstream, status }: UpstreamAnswer): WeirError {
  return new WeirError("weir:upstream:failed", `${upstream.name} answered ${status} when asked for a batch.`);
}

/**
 * Meters by the store that their batches are in: callers and the settler must meet in one, or a batch would be charged by
 * each of them.
 */
const METERS = new WeakMap<OwnedObjectStore, BatchMeter>();

/** The one meter of these services. */
export function batchMeterOf(services: MeterServices): BatchMeter {
  let meter = METERS.get(services.objects);
  if (meter === undefined) {
    meter = new BatchMeter(services);
    METERS.set(services.objects, meter);
  }
  return meter;
}
