import { type Command, Option } from "commander";

import { formatUsd } from "../../core/money.ts";
import type { ProviderUsage } from "../../ledger/reconciliation/provider-usage.ts";
import {
  type Figure,
  reconcile,
  type ReconciledRow,
  type Reconciliation,
} from "../../ledger/reconciliation/reconcile.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { listOf, optionParser } from "../options/option-parser.ts";
import { askAnthropic } from "../reconcile/ask-anthropic.ts";
import { PROVIDERS, readFiles, type ReconcileProvider } from "../reconcile/read-source.ts";
import { addReportOptions, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { count } from "../report/report-text.ts";
import { tableLines } from "../terminal/table.ts";
import { printable } from "../terminal/text-width.ts";

const DAY_MS = 86_400_000;

/** Upstreams whose traffic a source of figures knows, by their provider. */
const KNOWN_BY: Readonly<Record<ReconcileProvider, readonly string[] | null>> = {
  "anthropic-usage-api": ["anthropic"],
  "bedrock-logs": ["bedrock", "bedrockMantle"],
  csv: null,
};

const CAUSES = {
  only_weir: "only in Weir",
  only_provider: "only at the provider",
  tokens: "tokens differ",
  price: "price differs",
} as const;

interface Options extends ReportOptions {
  readonly provider: ReconcileProvider;
  readonly file?: readonly string[];
  readonly url?: string;
  readonly threshold?: number;
  readonly upstream?: readonly string[];
}

/** `weir reconcile`. */
export function reconcileCommand(host: Host): Command {
  const command = defineCommand({
    name: "reconcile",
    summary: "compare the ledger with the provider's own figures",
    description:
      "Compares tokens and dollars by day (UTC) and model with what the provider counted: Anthropic's Usage & Cost API (saved pages, or asked with ANTHROPIC_ADMIN_KEY), Amazon Bedrock's invocation logs, or a CSV. Says what drifts by more than the threshold and why: tokens that one side did not see, or prices that changed. Today, which is not over, is left out. Exit code 1 when anything is beyond the threshold.",
    examples: [
      { line: "weir reconcile --provider anthropic-usage-api --url https://api.anthropic.com --last 7d" },
      { line: "weir reconcile --provider bedrock-logs --file invocations.jsonl --threshold 1%" },
      { line: "weir reconcile --provider csv --file invoice.csv --json" },
    ],
  })
    .addOption(new Option("--provider <kind>", "what is compared with").choices(PROVIDERS).makeOptionMandatory())
    .addOption(
      new Option("--file <file>", "file with the provider's figures; may be given several times")
        .argParser((file: string, before: readonly string[] | undefined) => [...(before ?? []), file])
        .conflicts("url"),
    )
    .option("--url <url>", "where the Usage & Cost API is; its key comes from ANTHROPIC_ADMIN_KEY")
    .option("--threshold <percent>", "drift of a day and model that is still well (default: 2%)", optionParser(percent))
    .option(
      "--upstream <list>",
      "compare only what went to these upstreams (default: all of the provider's kind)",
      listOf((name) => name),
    );
  return addReportOptions(command).action(async (options: Options) =>
    host.finish(await withReport(host, options, (frame) => compare(host, frame, options))),
  );
}

async function compare(host: Host, frame: ReportFrame, options: Options): Promise<number> {
  const { records, organization, range, nowMs, output } = frame;
  const isRangeGiven = options.last !== undefined || options.from !== undefined || options.to !== undefined;
  const today = dayOf(nowMs);
  const asked = { fromDay: dayOf(range.fromMs), toDay: min(dayAfter(range.toMs), today) };
  const figures = await figuresOf(host, options, asked);
  // A file says by itself which days it is about; days that it does not reach are not missing from it.
  const fromDay = isRangeGiven || options.url !== undefined ? asked.fromDay : (figures.at(0)?.day ?? asked.fromDay);
  const last = figures.at(-1);
  const toDay =
    isRangeGiven || options.url !== undefined || last === undefined
      ? asked.toDay
      : min(dayAfter(Date.parse(last.day) + DAY_MS), today);
  const targets = targetsOf(frame, options);
  const metered = await records.reports.metered({
    organizationId: organization.id,
    fromMs: Date.parse(fromDay),
    toMs: Date.parse(toDay),
    ...(targets === null ? {} : { targets }),
  });
  const inRange = figures.filter(({ day }) => day >= fromDay && day < toDay);
  const threshold = options.threshold ?? 0.02;
  const result = reconcile(metered, inRange, threshold);
  const about = { fromDay, toDay, threshold, targets };
  output.result(document(result, about, frame), () => text(result, about, frame));
  return result.alert ? EXIT.negative : EXIT.ok;
}

async function figuresOf(
  { context }: Host,
  options: Options,
  days: { fromDay: string; toDay: string },
): Promise<readonly ProviderUsage[]> {
  if (options.file !== undefined) return await readFiles(options.provider, options.file);
  const adminKey = context.env["ANTHROPIC_ADMIN_KEY"] ?? "";
  if (options.url === undefined || options.provider !== "anthropic-usage-api") {
    throw new CliError("usage", "there is nothing to compare with", {
      remedy: "Give --file with the provider's figures, or --url for the Usage & Cost API.",
    });
  }
  if (adminKey === "") {
    throw new CliError("usage", "the Usage & Cost API needs an Admin API key", {
      remedy:
        "Put it into the environment as ANTHROPIC_ADMIN_KEY; it is not taken from the command line, where others see it.",
    });
  }
  return await askAnthropic({ url: options.url, adminKey, ...days });
}

function targetsOf({ records }: ReportFrame, { provider, upstream }: Options): readonly string[] | null {
  if (upstream !== undefined) return upstream;
  const kinds = KNOWN_BY[provider];
  if (kinds === null) return null;
  return records.config.upstreams.filter((row) => kinds.includes(row.provider)).map(({ name }) => name);
}

interface About {
  readonly fromDay: string;
  readonly toDay: string;
  readonly threshold: number;
  readonly targets: readonly string[] | null;
}

function document(result: Reconciliation, about: About, { organization }: ReportFrame): object {
  const ofTokens = (figure: Figure | null): object | null =>
    figure === null ? null : { weir: figure.weir, provider: figure.provider, drift: finite(figure.drift) };
  const ofCost = (figure: Figure | null): object | null =>
    figure === null
      ? null
      : {
          weir_usd: formatUsd(figure.weir),
          weir_micro_usd: figure.weir,
          provider_usd: formatUsd(figure.provider),
          provider_micro_usd: figure.provider,
          drift: finite(figure.drift),
        };
  return {
    organization: { id: organization.id, name: organization.name },
    from: about.fromDay,
    to: about.toDay,
    upstreams: about.targets,
    threshold: about.threshold,
    alert: result.alert,
    tokens: ofTokens(result.tokens),
    cost: ofCost(result.cost),
    rows: result.rows.map((row) => ({
      day: row.day,
      model: row.model,
      cause: row.cause,
      tokens: ofTokens(row.tokens),
      cost: ofCost(row.cost),
      estimated_requests: row.estimated,
      price_versions: row.priceVersions,
    })),
    unattributed: result.unattributed.map(({ day, costMicroUsd }) => ({
      day,
      cost_usd: formatUsd(costMicroUsd),
      cost_micro_usd: costMicroUsd,
    })),
  };
}

function text(result: Reconciliation, about: About, { output, organization }: ReportFrame): string[] {
  const { style } = output;
  const { rows } = result;
  const title = style.bold(`${printable(organization.name)}, ${about.fromDay} until before ${about.toDay} (UTC)`);
  if (rows.length === 0) return [title, "Neither side has anything in these days."];
  const table = tableLines(
    [
      { header: "DAY", cells: rows.map(({ day }) => day), footer: "Total" },
      { header: "MODEL", cells: rows.map(({ model }) => model), isFlexible: true },
      ...figureColumns(
        "TOKENS",
        rows.map(({ tokens }) => tokens),
        { total: result.tokens, show: count },
      ),
      ...figureColumns(
        "USD",
        rows.map(({ cost }) => cost),
        { total: result.cost, show: formatUsd },
      ),
      {
        header: "FINDING",
        cells: rows.map(findingOf),
        paint: (padded, at) => (rows[at]?.cause === null ? style.green(padded) : style.red(padded)),
      },
    ],
    { style, columns: output.terminal.out.columns },
  );
  const bad = rows.filter(({ cause }) => cause !== null).length;
  const verdict = result.alert
    ? style.red(`${bad} of ${rows.length} rows drift by more than ${show(about.threshold)}.`)
    : style.green(`All ${rows.length} rows are within ${show(about.threshold)}.`);
  const rest = result.unattributed.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
  const notes =
    rest === 0 ? [] : [`The provider names no model for ${formatUsd(rest)} USD, such as web searches: not compared.`];
  return [title, "", ...table, "", verdict, ...notes];
}

function findingOf({ cause, estimated, priceVersions }: ReconciledRow): string {
  const because = [
    ...(estimated > 0 ? [`${estimated} estimated`] : []),
    ...(priceVersions.length > 1 ? [`prices changed that day: ${priceVersions.join(" → ")}`] : []),
  ];
  const found = cause === null ? "ok" : CAUSES[cause];
  return because.length === 0 ? found : `${found} (${because.join(", ")})`;
}

function figureColumns(
  name: string,
  figures: readonly (Figure | null)[],
  { total, show: shown }: { total: Figure | null; show: (value: number) => string },
): Parameters<typeof tableLines>[0] {
  const column = (header: string, of: (figure: Figure) => string): Parameters<typeof tableLines>[0][number] => ({
    header,
    cells: figures.map((figure) => (figure === null ? "–" : of(figure))),
    align: "right",
    footer: total === null ? "–" : of(total),
  });
  return [
    column(`${name} WEIR`, ({ weir }) => shown(weir)),
    column("PROVIDER", ({ provider }) => shown(provider)),
    column("DRIFT", ({ drift }) => show(drift)),
  ];
}

/** A share as a percentage with its sign where it is a drift: `-1.25%`. */
function show(share: number): string {
  return Number.isFinite(share) ? `${Number((share * 100).toFixed(2))}%` : "∞";
}

function finite(drift: number): number | null {
  return Number.isFinite(drift) ? drift : null;
}

function percent(written: string): number {
  const [, digits] = /^(\d+(?:\.\d+)?)\s*%$/.exec(written.trim()) ?? [];
  const value = Number(digits);
  if (digits !== undefined && value <= 100) return value / 100;
  throw new RangeError(`${JSON.stringify(written)} is no percentage: write for example 2% or 0.5%`);
}

function dayOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10);
}

/** The first day (UTC) that a span which ends before `toMs` does not touch. */
function dayAfter(toMs: number): string {
  return dayOf(Math.ceil(toMs / DAY_MS) * DAY_MS);
}

function min(a: string, b: string): string {
  return a < b ? a : b;
}
