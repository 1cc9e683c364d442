import { costOf, type Price } from "../../ledger/prices/price-book.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import { UsageMeter } from "../../wire/anthropic/usage-meter.ts";
import { isJsonObject, parseJsonObject } from "./json-object.ts";

/** How a model that answered is called and priced. */
export interface PricedModel {
  readonly model: string;
  readonly price: Price;
}

/** What one model used in a batch at one price. */
export interface TalliedUse extends PricedModel {
  readonly usage: Usage;
  readonly costMicroUsd: number;
}

/**
 * Sums up the results of a batch, line by line. Uses are kept apart wherever the price of a token differs (model, speed,
 * region, length of context), so that each sum can be priced once, exactly, as one ledger row.
 */
export class BatchTally {
  /** Requests that were answered. */
  succeeded = 0;
  /** Lines that could not be read; they may have cost something. */
  unreadable = 0;
  readonly #priceOf: (model: string) => PricedModel;
  readonly #uses = new Map<string, { readonly priced: PricedModel; readonly usage: Usage }>();

  constructor(priceOf: (model: string) => PricedModel) {
    this.#priceOf = priceOf;
  }

  /** Takes one line of the results; null stands for one that was too long to be read. */
  add(line: Buffer | null): void {
    const result = line === null ? undefined : parseJsonObject(line)?.["result"];
    if (!isJsonObject(result)) {
      this.unreadable++;
      return;
    }
    if (result["type"] !== "succeeded") return;
    this.succeeded++;
    const message = result["message"];
    const meter = new UsageMeter();
    if (isJsonObject(message)) meter.read(message["usage"]);
    if (!isJsonObject(message) || !meter.seen) {
      this.unreadable++;
      return;
    }
    const model = message["model"];
    this.#count(typeof model === "string" ? model : "unknown", meter.result());
  }

  /** What was used, in an order that depends on the results alone. */
  uses(): readonly TalliedUse[] {
    return [...this.#uses]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([, { priced, usage }]) => ({ ...priced, usage, costMicroUsd: costOf(usage, priced.price) }));
  }

  #count(upstreamModel: string, usage: Usage): void {
    const { model, price } = this.#priceOf(upstreamModel);
    const { context, price: flat } = flatPrice(price, usage);
    const key = [model, context, usage.speed ?? "", usage.inferenceGeo ?? ""].join("\n");
    let use = this.#uses.get(key);
    if (use === undefined) {
      const { speed, inferenceGeo } = usage;
      use = { priced: { model, price: flat }, usage: { ...emptyUsage(), serviceTier: "batch", speed, inferenceGeo } };
      this.#uses.set(key, use);
    }
    addCounts(use.usage, usage);
  }
}

/** The price that applies to one answer, without its tiers: a sum of short contexts is not a long one. */
function flatPrice(price: Price, usage: Usage): { context: "long" | "base"; price: Price } {
  const { longContext, ...row } = price.row;
  if (longContext === undefined) return { context: "base", price };
  const length = usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
  if (length <= longContext.aboveInputTokens) return { context: "base", price: { ...price, row } };
  return { context: "long", price: { ...price, row: { ...row, rates: longContext.rates } } };
}

function addCounts(sum: Usage, usage: Usage): void {
  sum.inputTokens += usage.inputTokens;
  sum.outputTokens += usage.outputTokens;
  sum.cacheReadTokens += usage.cacheReadTokens;
  sum.cacheWrite5mTokens += usage.cacheWrite5mTokens;
  sum.cacheWrite1hTokens += usage.cacheWrite1hTokens;
  sum.webSearchRequests += usage.webSearchRequests;
}
