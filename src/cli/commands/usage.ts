import { type Command, Option } from "commander";

import { didYouMean } from "../../config/did-you-mean.ts";
import { formatUsd } from "../../core/money.ts";
import type { OrganizationRecord } from "../../store/ports/directory.ts";
import type { UsageDimension, UsageQuery, UsageStore } from "../../store/ports/usage.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { requireOrganization } from "../directory/find-record.ts";
import { Names } from "../directory/names.ts";
import { listOf, optionParser, wholeNumber } from "../options/option-parser.ts";
import { parseMoment } from "../options/parse-moment.ts";
import { parseSpan } from "../options/parse-span.ts";
import type { Output } from "../output.ts";
import { sparkline } from "../terminal/bars.ts";
import { usageCsv, usageDocument } from "../usage/usage-document.ts";
import { type FilterOptions, usageFilters } from "../usage/usage-filters.ts";
import { type RangeOptions, type UsageRange, usageRange } from "../usage/usage-range.ts";
import { costPerDay, readUsage, type UsageReport, type UsageSums } from "../usage/usage-report.ts";
import { usageTable } from "../usage/usage-table.ts";
import { withRecords } from "../with-records.ts";

const DIMENSIONS: readonly UsageDimension[] = ["user", "model", "day", "key", "team", "session", "agent", "target"];
const TABLE_ROWS = 50;
const DOCUMENT_ROWS = 10_000;
const LONGEST_SPARKLINE = 62;

const EXAMPLES = [
  { line: "weir usage", note: "the last 7 days by user and model" },
  { line: "weir usage --last 30d --by day" },
  { line: "weir usage --from 2026-11-01 --to 2026-11-30 --by team,model" },
  { line: "weir usage --user ada --by session --last 24h --limit 10" },
  { line: "weir usage --by key --csv > usage.csv" },
];

interface Options extends CommonOptions, RangeOptions, FilterOptions {
  readonly by?: readonly string[];
  readonly org?: string;
  readonly limit?: number;
  readonly csv?: boolean;
}

/** `weir usage`. */
export function usageCommand(host: Host): Command {
  const command = defineCommand({
    name: "usage",
    summary: "tokens and cost, by user, model, day and more",
    description:
      "Reports tokens and cost from the ledger, the dearest first. Days and dates are those of the organisation's time zone. Usage appears here within seconds of the answer. Where sessions had to leave an upstream that had their prompt cache warm, it says what that cost.",
    examples: EXAMPLES,
  });
  command
    .addOption(
      new Option("--last <span>", "the last 7d (default), 24h, 2w, 3mo; whole days, today included")
        .argParser(optionParser(parseSpan))
        .conflicts("from"),
    )
    .option("--from <time>", "from this date or time on", optionParser(parseMoment))
    .option("--to <time>", "up to this time, or to the end of this date (default: now)", optionParser(parseMoment))
    .option("--by <list>", `group by any of ${DIMENSIONS.join(", ")} (default: user,model)`, listOf(dimension))
    .option("--user <user>", "only this user, by name, e-mail or id")
    .option("--team <team>", "only this team, by name or id")
    .option("--key <key>", "only this key, by name, hint or id")
    .option("--model <model>", "only this model")
    .option("--org <organisation>", "organisation, by name or id; needed when there are several")
    .option(
      "--limit <n>",
      `rows to show, the dearest (default: ${TABLE_ROWS}, or ${DOCUMENT_ROWS} with --json and --csv)`,
      wholeNumber(1, DOCUMENT_ROWS),
    )
    .addOption(new Option("--csv", "print CSV").conflicts("json"));
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await showUsage(host, options)),
  );
}

async function showUsage(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  const wantsDocument = options.csv === true || output.isJson;
  return await withRecords(context, options, async ({ directory, usage, hasher }) => {
    const nowMs = context.clock.nowMs();
    const snapshot = await directory.load();
    const organization = requireOrganization(snapshot, options.org);
    const range = usageRange(options, nowMs, organization.timeZone);
    const query = {
      organizationId: organization.id,
      ...range,
      timeZone: organization.timeZone,
      // Checked by the option's parser.
      groupBy: (options.by ?? ["user", "model"]) as readonly UsageDimension[],
      where: usageFilters(options, { snapshot, organization, hasher, nowMs }),
    };
    const report = await readUsage(usage, query, options.limit ?? (wantsDocument ? DOCUMENT_ROWS : TABLE_ROWS));
    const names = new Names(snapshot);
    if (options.csv === true) {
      context.terminal.out.write(usageCsv(report, names));
      return EXIT.ok;
    }
    const trend = wantsDocument || report.rows.length === 0 ? null : await trendLine(usage, query, output);
    output.result(usageDocument(report, { organization, range, names }), () =>
      usageText(report, { organization, range, names, output, trend }),
    );
    return EXIT.ok;
  });
}

function usageText(
  report: UsageReport,
  about: { organization: OrganizationRecord; range: UsageRange; names: Names; output: Output; trend: string | null },
): string[] {
  const { organization, range, names, output, trend } = about;
  const { style, terminal } = output;
  const title = `${organization.name}, ${dateTime(range.fromMs, organization.timeZone)} to ${dateTime(range.toMs, organization.timeZone)} (${organization.timeZone})`;
  if (report.rows.length === 0) return [`No usage: ${title}.`];
  const table = usageTable(report, { names, style, columns: terminal.out.columns });
  const notes = [trend, cacheLossLine(report.total)].filter((line) => line !== null);
  return [style.bold(title), "", ...table, ...(notes.length === 0 ? [] : ["", ...notes])];
}

/** What sessions lost by leaving warm prompt caches; null when they lost nothing. */
function cacheLossLine({ cacheMoves, cacheLossMicroUsd }: UsageSums): string | null {
  if (cacheLossMicroUsd === 0) return null;
  const moves = cacheMoves === 1 ? "1 move" : `${cacheMoves.toLocaleString("en-US")} moves`;
  return `Lost to moved caches: about ${formatUsd(cacheLossMicroUsd)} USD in ${moves}.`;
}

/** Cost per day as a small line chart, for a terminal and a range of several days. */
async function trendLine(usage: UsageStore, query: UsageQuery, output: Output): Promise<string | null> {
  if (!output.terminal.out.isTty || (query.groupBy.length === 1 && query.groupBy[0] === "day")) return null;
  const costs = await costPerDay(usage, query);
  if (costs.length < 2 || costs.length > LONGEST_SPARKLINE) return null;
  return `${output.style.dim("cost per day")}  ${output.style.cyan(sparkline(costs))}`;
}

function dimension(entry: string): string {
  if (DIMENSIONS.some((name) => name === entry)) return entry;
  const [similar] = didYouMean(entry, DIMENSIONS);
  const hint = similar === undefined ? "" : `did you mean ${similar}? `;
  throw new RangeError(`${JSON.stringify(entry)} is nothing to group by; ${hint}there are ${DIMENSIONS.join(", ")}`);
}

function dateTime(atMs: number, timeZone: string): string {
  const at = Temporal.Instant.fromEpochMilliseconds(atMs).toZonedDateTimeISO(timeZone);
  return `${at.toPlainDate().toString()} ${at.toPlainTime().toString({ smallestUnit: "minute" })}`;
}
