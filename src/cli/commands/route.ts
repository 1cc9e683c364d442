import type { Command } from "commander";

import { didYouMean } from "../../config/did-you-mean.ts";
import { divideRoundHalfUp, formatUsd, MICRO_PER_USD } from "../../core/money.ts";
import type { Price } from "../../ledger/prices/price-book.ts";
import type { Route, RouteTable } from "../../routing/route-table.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { quoted } from "../directory/find-record.ts";
import { configInvalid } from "../error-report.ts";
import { printable } from "../terminal/text-width.ts";

const EXAMPLES = [
  { line: "weir route explain claude-sonnet-5" },
  { line: "weir route explain us.anthropic.claude-haiku-4-5-20251001-v1:0" },
  { line: "weir route explain claude-opus-5 --profile prod --json" },
];

/** `weir route`. */
export function routeCommand(host: Host): Command {
  const explain = defineCommand({
    name: "explain",
    summary: "say where requests for a model go, and why",
    description:
      "Resolves a model name as the gateway would: the model it means, the upstreams that are tried, in order, with the reason for each, and the price. Asks no upstream.",
    examples: EXAMPLES,
  });
  addInstallationOptions(explain.argument("<model>", "model name in any spelling that clients use")).action(
    async (model: string, options: CommonOptions) => host.finish(await explainRoute(host, model, options)),
  );
  return defineCommand({
    name: "route",
    summary: "see where requests for a model go",
    examples: [{ line: "weir route explain claude-sonnet-5" }],
  }).addCommand(explain);
}

async function explainRoute(host: Host, model: string, options: CommonOptions): Promise<number> {
  const output = outputFor(host, options);
  const loaded = await host.context.loadConfig(options);
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
  const { table, close } = await host.context.inspect.routes(loaded.config);
  try {
    const route = table.resolve(model);
    if (route === null) throw unknownModel(model, table);
    output.result(routeDocument(model, route), () => [
      `${printable(model)} means ${output.style.bold(printable(route.model))}`,
      ...route.reasons.map((reason) => `  ${printable(reason)}`),
      ...route.targets.slice(0, 1).map(({ price }) => `  ${output.style.dim(priceText(price))}`),
    ]);
    return EXIT.ok;
  } finally {
    await close();
  }
}

function unknownModel(model: string, table: RouteTable): CliError {
  const listed = table.listed.map(({ id }) => id);
  const similar = didYouMean(model, listed);
  const hint = similar.length === 0 ? "" : `Did you mean ${similar.join(" or ")}? `;
  return new CliError("not_found", `no upstream serves ${quoted(model)}: requests for it get 404`, {
    remedy: `${hint}Models are listed under \`models\` in the configuration, beside the built-in ones.`,
    details: { wanted: model, did_you_mean: similar },
  });
}

function routeDocument(asked: string, { model, targets, reasons }: Route): object {
  return {
    asked,
    model,
    targets: targets.map(({ upstream, upstreamModel, price }, i) => ({
      upstream: upstream.name,
      provider: upstream.settings.provider,
      upstream_model: upstreamModel,
      reason: reasons[i] ?? "",
      price: {
        origin: price.origin,
        source: price.row.source,
        usd_per_million_tokens: Object.fromEntries(ratesOf(price).map(([name, rate]) => [name, formatUsd(rate)])),
      },
    })),
  };
}

function priceText(price: Price): string {
  const rates = ratesOf(price).map(([name, rate]) => `${name.replaceAll("_", " ")} ${formatUsd(rate)}`);
  return `first target, USD per million tokens: ${rates.join(", ")} (${price.row.source})`;
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
