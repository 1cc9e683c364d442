import { divideRoundHalfUp, type MicroUsd } from "../../core/money.ts";
import { canonicalModel } from "../../message/models.ts";
import type { Usage } from "../../message/usage.ts";
import { PRICE_TABLE, UNKNOWN_MODEL_PRICE, WEB_SEARCH_MICRO_USD, type PriceRow, type Rates } from "./table.ts";

/** A contracted price for one upstream and model; replaces the list price, fast mode included. */
export interface PriceOverride {
  readonly upstream: string;
  /** A built-in id (covers every spelling of it), or the exact string asked for or sent upstream. */
  readonly model: string;
  readonly rates: Rates;
}

/** What inference in the US region multiplies token charges by. */
export const US_REGION_FACTOR = 1.1;

/** What decides a price: who serves, what was sent there, what the client asked for. */
export interface PriceKey {
  readonly upstream: string;
  readonly upstreamModel: string;
  readonly modelAsked: string;
  /** The configured `models[].id` behind the upstream's string, if any. */
  readonly modelConfigured: string | null;
}

/** The price of one target, resolved once when the snapshot is built. */
export interface Price {
  readonly row: PriceRow;
  readonly origin: "override" | "list" | "unknown";
  /** Parts per million by which every amount is multiplied. */
  readonly multiplierPpm: number;
}

export interface PriceBookOptions {
  readonly overrides: readonly PriceOverride[];
  /** Applies to every amount; 1 is list price. */
  readonly multiplier: number;
  /** UTC date as `YYYY-MM-DD`: which dated rows apply. */
  readonly date: string;
}

/** Prices for one configuration snapshot. Immutable. */
export class PriceBook {
  /** Identifies table date, overrides and multiplier; kept on every entry. */
  readonly version: string;
  /** By upstream and the row's own words, and by upstream and the built-in model that these words spell. */
  readonly #overrides: ReadonlyMap<string, PriceOverride>;
  readonly #builtinOverrides: ReadonlyMap<string, PriceOverride>;
  readonly #rows: ReadonlyMap<string, PriceRow>;
  readonly #multiplierPpm: number;

  constructor(options: PriceBookOptions) {
    this.#multiplierPpm = Math.round(options.multiplier * 1_000_000);
    this.#overrides = new Map(options.overrides.map((row) => [overrideKey(row.upstream, row.model), row]));
    this.#builtinOverrides = new Map(
      options.overrides.map((row) => [overrideKey(row.upstream, canonicalModel(row.model) ?? row.model), row]),
    );
    this.#rows = currentRows(options.date);
    const custom = options.overrides.length > 0 || this.#multiplierPpm !== 1_000_000;
    this.version = custom ? `2026-11+${fingerprint(options)}` : "2026-11";
  }

  /** The price of a target. The most specific override wins, then the list, then the tier for unknown models. */
  resolve(key: PriceKey): Price {
    const canonical = pricedAs(key);
    const override = this.#override(key, canonical);
    const multiplierPpm = this.#multiplierPpm;
    if (override !== undefined) {
      const row: PriceRow = {
        model: override.model,
        from: "",
        source: "pricing.overrides",
        rates: override.rates,
        fastMultiplier: 1,
      };
      return { row, origin: "override", multiplierPpm };
    }
    const row = canonical === null ? undefined : this.#rows.get(canonical);
    return row === undefined
      ? { row: UNKNOWN_MODEL_PRICE, origin: "unknown", multiplierPpm }
      : { row, origin: "list", multiplierPpm };
  }

  #override({ upstream, ...names }: PriceKey, canonical: string | null): PriceOverride | undefined {
    if (this.#overrides.size === 0) return undefined;
    for (const name of [names.upstreamModel, names.modelAsked, names.modelConfigured]) {
      const found = name === null ? undefined : this.#overrides.get(overrideKey(upstream, name));
      if (found !== undefined) return found;
    }
    return canonical === null ? undefined : this.#builtinOverrides.get(overrideKey(upstream, canonical));
  }
}

/** The built-in model that a target is priced as: what is sent there tells, else the configuration, else the client. */
function pricedAs({ upstreamModel, modelConfigured, modelAsked }: PriceKey): string | null {
  return (
    canonicalModel(upstreamModel) ??
    (modelConfigured === null ? null : canonicalModel(modelConfigured)) ??
    canonicalModel(modelAsked)
  );
}

/**
 * What `usage` costs at `price`, in micro-dollars, rounded half up once at the end. Fast mode, the US inference region
 * (1.1x) and batch (half) multiply token charges; the contract's multiplier applies to everything.
 */
export function costOf(usage: Usage, price: Price): MicroUsd {
  const rates = ratesFor(contextTokens(usage), price.row);
  const tokenCharge =
    usage.inputTokens * rates.input +
    usage.outputTokens * rates.output +
    usage.cacheWrite5mTokens * rates.cacheWrite5m +
    usage.cacheWrite1hTokens * rates.cacheWrite1h +
    usage.cacheReadTokens * rates.cacheRead;
  const plain =
    usage.speed !== "fast" &&
    usage.serviceTier !== "batch" &&
    usage.inferenceGeo !== "us" &&
    price.multiplierPpm === 1e6;
  // Common case: below 2^53 the sum is exact in a double, and adding half a micro-dollar before flooring rounds half up.
  if (plain && tokenCharge < Number.MAX_SAFE_INTEGER / 2) {
    return Math.floor((tokenCharge + 500_000) / 1_000_000) + usage.webSearchRequests * WEB_SEARCH_MICRO_USD;
  }
  return exactCost(usage, rates, price);
}

/** The same in big integers: numerator over one common denominator, divided once. */
function exactCost(usage: Usage, rates: Rates, price: Price): MicroUsd {
  const charge = (tokens: number, rate: number): bigint => BigInt(tokens) * BigInt(rate);
  let tokens =
    charge(usage.inputTokens, rates.input) +
    charge(usage.outputTokens, rates.output) +
    charge(usage.cacheWrite5mTokens, rates.cacheWrite5m) +
    charge(usage.cacheWrite1hTokens, rates.cacheWrite1h) +
    charge(usage.cacheReadTokens, rates.cacheRead);
  if (usage.speed === "fast") tokens *= BigInt(price.row.fastMultiplier);
  // Regional inference is 11/10 and batch 1/2: over the common denominator 20.
  let twentieths = 20n;
  if (usage.inferenceGeo === "us") twentieths = (twentieths * 11n) / 10n;
  if (usage.serviceTier === "batch") twentieths /= 2n;
  const searches = BigInt(usage.webSearchRequests) * BigInt(WEB_SEARCH_MICRO_USD) * 1_000_000n * 20n;
  const numerator = (tokens * twentieths + searches) * BigInt(price.multiplierPpm);
  return divideRoundHalfUp(numerator, 1_000_000n * 20n * 1_000_000n);
}

/** The rates of a row for a context of so many tokens: input, cache reads and cache writes together. */
export function ratesFor(contextTokens: number, row: PriceRow): Rates {
  if (row.longContext === undefined) return row.rates;
  return contextTokens > row.longContext.aboveInputTokens ? row.longContext.rates : row.rates;
}

function contextTokens(usage: Usage): number {
  return usage.inputTokens + usage.cacheReadTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens;
}

function currentRows(date: string): ReadonlyMap<string, PriceRow> {
  const rows = new Map<string, PriceRow>();
  for (const row of PRICE_TABLE) {
    const known = rows.get(row.model);
    if (row.from <= date && (known === undefined || known.from < row.from)) rows.set(row.model, row);
  }
  return rows;
}

function overrideKey(upstream: string, model: string): string {
  return `${upstream}\n${model.toLowerCase()}`;
}

/** Eight hex digits (FNV-1a) that change when overrides or multiplier do: a label for people, not a checksum to trust. */
function fingerprint(options: PriceBookOptions): string {
  let hash = 0x811c9dc5;
  for (const character of JSON.stringify([options.overrides, options.multiplier])) {
    hash = Math.imul(hash ^ (character.codePointAt(0) ?? 0), 0x01000193);
  }
  return (hash >>> 0).toString(16).padStart(8, "0");
}
