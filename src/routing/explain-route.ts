import { divideRoundHalfUp, formatUsd, MICRO_PER_USD } from "../core/money.ts";
import { snakeKeys } from "../core/snake-keys.ts";
import type { Price } from "../ledger/prices/price-book.ts";
import { explainText } from "./explain-text.ts";
import type { Explanation } from "./explanation.ts";
import type { Route, RouteTable } from "./route-table.ts";
import type { Router } from "./router.ts";

/** A request that somebody might make. */
export interface RouteQuestion {
  /** The model's name in any spelling. */
  readonly asked: string;
  /** Id of the key that asks, to which sessions belong. */
  readonly keyId: string | null;
  readonly session: string | null;
  readonly region: string | null;
  readonly inputTokens: number;
  readonly outputTokens: number;
}

/** What a request is taken to have where nothing is said: a question and an answer. */
export const USUAL_TOKENS = { input: 1_000, output: 500 } as const;

/** Where it would go and why: for programs and, line by line, for people. */
export interface RouteAnswer {
  readonly document: Readonly<Record<string, unknown>>;
  readonly text: readonly string[];
}

/** Says where a request would go, changing nothing; null when nothing serves the model. `nowMs` is monotonic. */
export function explainRoute(
  question: RouteQuestion,
  { table, router, nowMs }: { table: RouteTable; router: Router; nowMs: number },
): RouteAnswer | null {
  const { asked, keyId, session, region, inputTokens, outputTokens } = question;
  const route = table.resolve(asked);
  if (route === null) return null;
  const explanation = router.explain({
    model: route.model,
    targets: route.plannable(null),
    strategy: route.strategy,
    sessionScope: keyId ?? "",
    session,
    clientRegion: region,
    expectedInputTokens: inputTokens,
    expectedOutputTokens: outputTokens,
    urgency: "interactive",
    nowMs,
  });
  return { document: documentOf(asked, route, explanation), text: textOf(asked, route, explanation) };
}

function documentOf(asked: string, route: Route, explanation: Explanation): Readonly<Record<string, unknown>> {
  const { targets, ...rest } = explanation;
  // An object with its keys renamed is an object still.
  const renamed = snakeKeys(rest) as Record<string, unknown>;
  return {
    asked,
    ...renamed,
    targets: targets.map((target) => {
      const found = route.targets.find(({ upstream }) => upstream.name === target.upstream);
      return {
        ...(snakeKeys(target) as Record<string, unknown>), // as above
        provider: found?.upstream.settings.provider ?? null,
        price: found === undefined ? null : priceDocument(found.price),
      };
    }),
  };
}

function textOf(asked: string, route: Route, explanation: Explanation): readonly string[] {
  const first = route.targets.find(({ upstream }) => upstream.name === explanation.targets[0]?.upstream);
  return [
    `${asked} means ${route.model}`,
    ...explainText(explanation),
    ...(first === undefined ? [] : ["", priceText(first.price)]),
  ];
}

function priceDocument(price: Price): object {
  return {
    origin: price.origin,
    source: price.row.source,
    usd_per_million_tokens: Object.fromEntries(ratesOf(price).map(([name, rate]) => [name, formatUsd(rate)])),
  };
}

function priceText(price: Price): string {
  const rates = ratesOf(price).map(([name, rate]) => `${name.replaceAll("_", " ")} ${formatUsd(rate)}`);
  return `First target, USD per million tokens: ${rates.join(", ")} (${price.row.source}).`;
}

/** Rates in micro-dollars per million tokens, the multiplier applied. */
function ratesOf({ row: { rates }, multiplierPpm }: Price): [string, number][] {
  const charged = (rate: number): number =>
    divideRoundHalfUp(BigInt(rate) * BigInt(multiplierPpm), BigInt(MICRO_PER_USD));
  return [
    ["input", charged(rates.input)],
    ["output", charged(rates.output)],
    ["cache_write_5m", charged(rates.cacheWrite5m)],
    ["cache_write_1h", charged(rates.cacheWrite1h)],
    ["cache_read", charged(rates.cacheRead)],
  ];
}
