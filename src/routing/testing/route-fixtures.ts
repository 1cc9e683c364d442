import { PriceBook } from "../../ledger/prices/price-book.ts";
import type { Rates } from "../../ledger/prices/table.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import type { PlanRequest } from "../plan.ts";
import { Router } from "../router.ts";
import { DEFAULT_ROUTING, type RoutingSettings } from "../settings.ts";
import { targetKey, type RouteTarget } from "../target.ts";
import { seededRandom } from "./seeded-random.ts";

const MODEL = "claude-opus-5";

/** A target of `MODEL` at list price, or at the rates given (dollars per million tokens in micro-dollars). */
export function target(upstream: string, given: Partial<RouteTarget> & { readonly rates?: Rates } = {}): RouteTarget {
  const { rates, ...members } = given;
  const overrides = rates === undefined ? [] : [{ upstream, model: MODEL, rates }];
  const prices = new PriceBook({ overrides, multiplier: 1, date: "2026-11-20" });
  return {
    key: targetKey(upstream, MODEL),
    upstream,
    upstreamModel: MODEL,
    cloud: null,
    region: null,
    weight: 1,
    price: prices.resolve({ upstream, upstreamModel: MODEL, modelAsked: MODEL, modelConfigured: null }),
    promptCache: "explicit",
    ...members,
  };
}

/** Opus rates with everything multiplied. */
export function opusRates(factor: number): Rates {
  const micro = (dollars: number): number => Math.round(dollars * factor * 1_000_000);
  return {
    input: micro(5),
    output: micro(25),
    cacheWrite5m: micro(6.25),
    cacheWrite1h: micro(10),
    cacheRead: micro(0.5),
  };
}

export function request(targets: readonly RouteTarget[], given: Partial<PlanRequest> = {}): PlanRequest {
  return {
    model: MODEL,
    targets,
    sessionScope: "key_1",
    session: null,
    clientRegion: null,
    expectedInputTokens: 10_000,
    expectedOutputTokens: 500,
    urgency: "interactive",
    nowMs: 0,
    ...given,
  };
}

export function usage(given: Partial<Usage> = {}): Usage {
  return { ...emptyUsage(), ...given };
}

export function settings(given: Partial<RoutingSettings> = {}): RoutingSettings {
  return { ...DEFAULT_ROUTING, ...given };
}

/** A router for the targets' upstreams, with numbers that are the same in every run. */
export function routerFor(targets: readonly RouteTarget[], given: Partial<RoutingSettings> = {}, seed = 1): Router {
  return new Router({
    settings: settings(given),
    upstreams: [...new Set(targets.map(({ upstream }) => upstream))],
    random: seededRandom(seed),
    seed,
  });
}
