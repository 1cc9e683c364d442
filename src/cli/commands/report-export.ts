import { type Command, Option } from "commander";

import type { Config } from "../../config/schema.ts";
import { formatUsd } from "../../core/money.ts";
import { csvLine } from "../../ledger/reports/csv.ts";
import { FOCUS_COLUMNS, FOCUS_VERSION, type FocusFacts } from "../../ledger/reports/focus.ts";
import type { ExportGrain, ExportRow } from "../../store/ports/reports.ts";
import { EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { addReportOptions, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { printable } from "../terminal/text-width.ts";

const FORMATS = ["focus", "csv", "json"] as const;
type Format = (typeof FORMATS)[number];
const GRAINS: readonly ExportGrain[] = ["day", "exchange"];

/** Who bills an upstream, by its provider. */
const VENDORS: Readonly<Record<string, string>> = {
  anthropic: "Anthropic",
  anthropicAws: "Amazon Web Services",
  bedrock: "Amazon Web Services",
  bedrockMantle: "Amazon Web Services",
  vertex: "Google Cloud",
  foundry: "Microsoft",
  "azure-openai": "Microsoft",
  openai: "OpenAI",
  sandbox: "Weir",
};

interface Options extends ReportOptions {
  readonly format?: Format;
  readonly rows?: ExportGrain;
}

/** `weir report export`. */
export function reportExportCommand(host: Host): Command {
  const command = defineCommand({
    name: "export",
    summary: "everything, for spreadsheets and FinOps tools: FOCUS, CSV, JSON lines",
    description: `Writes the ledger to stdout: sums by day (UTC), key, user, team, tag, model and upstream, or with --rows exchange every single exchange. \`focus\` is CSV with the columns of FOCUS ${FOCUS_VERSION} (docs/guides/reports.md says what stands in each), \`json\` one object a line. Rows are passed on as they come from the database: the size of the export does not matter.`,
    examples: [
      { line: "weir report export --format focus --from 2026-11-01 --to 2026-11-30 > november-focus.csv" },
      { line: "weir report export --format json --rows exchange --last 24h | gzip > yesterday.jsonl.gz" },
    ],
  })
    .addOption(new Option("--format <name>", "what to write").choices(FORMATS).default("focus"))
    .addOption(new Option("--rows <grain>", "what a row is").choices(GRAINS).default("day"));
  return addReportOptions(command).action(async (options: Options) =>
    host.finish(await withReport(host, options, (frame) => writeExport(frame, options))),
  );
}

async function writeExport(frame: ReportFrame, { format = "focus", rows: grain = "day" }: Options): Promise<number> {
  const { records, window, output } = frame;
  const { out } = output.terminal;
  const { header, line } = FORMAT[format](frame);
  out.write(header);
  for await (const batch of records.reports.export({ ...window, grain })) {
    out.write(batch.map(line).join(""));
    // The database is asked for more only when the reader has taken this.
    await out.drained?.();
  }
  return EXIT.ok;
}

interface Writer {
  readonly header: string;
  readonly line: (row: ExportRow) => string;
}

const FORMAT: Readonly<Record<Format, (frame: ReportFrame) => Writer>> = {
  focus: (frame) => {
    const facts = focusFacts(frame);
    return {
      header: csvLine(FOCUS_COLUMNS.map(({ name }) => name)),
      line: (row) => csvLine(FOCUS_COLUMNS.map(({ value }) => printableOrNull(value(row, facts)))),
    };
  },
  csv: (frame) => ({
    header: csvLine(FIELDS.map(({ name }) => name)),
    line: (row) =>
      csvLine(
        FIELDS.map(({ value }) => {
          const cell = value(row, frame);
          return typeof cell === "string" ? printable(cell) : cell;
        }),
      ),
  }),
  json: (frame) => ({
    header: "",
    line: (row) =>
      `${JSON.stringify(Object.fromEntries(FIELDS.map(({ name, value }) => [name, value(row, frame)])))}\n`,
  }),
};

/** The columns of CSV and the members of JSON. */
const FIELDS: readonly {
  readonly name: string;
  readonly value: (row: ExportRow, frame: ReportFrame) => string | number | null;
}[] = [
  { name: "from", value: ({ startMs }) => isoTime(startMs) },
  { name: "to", value: ({ endMs }) => isoTime(endMs) },
  { name: "organization_id", value: (_, { organization }) => organization.id },
  { name: "team_id", value: ({ teamId }) => teamId },
  { name: "team", value: ({ teamId }, { names }) => names.team(teamId)?.name ?? teamId },
  { name: "user_id", value: ({ userId }) => userId },
  { name: "user", value: ({ userId }, { names }) => names.user(userId)?.name ?? userId },
  { name: "key_id", value: ({ keyId }) => keyId },
  { name: "session_id", value: ({ sessionId }) => sessionId },
  { name: "tag", value: ({ tag }) => tag },
  { name: "model", value: ({ model }) => model },
  { name: "target", value: ({ target }) => target },
  { name: "exchange_id", value: ({ exchangeId }) => exchangeId },
  { name: "attempt", value: ({ attempt }) => attempt },
  { name: "outcome", value: ({ outcome }) => outcome },
  { name: "requests", value: ({ requests }) => requests },
  { name: "input_tokens", value: ({ inputTokens }) => inputTokens },
  { name: "cache_write_tokens", value: ({ cacheWriteTokens }) => cacheWriteTokens },
  { name: "cache_read_tokens", value: ({ cacheReadTokens }) => cacheReadTokens },
  { name: "output_tokens", value: ({ outputTokens }) => outputTokens },
  { name: "cost_usd", value: ({ costMicroUsd }) => formatUsd(costMicroUsd) },
  { name: "cost_micro_usd", value: ({ costMicroUsd }) => costMicroUsd },
];

function focusFacts({ organization, names, records }: ReportFrame): FocusFacts {
  const vendors = vendorsOf(records.config);
  return {
    organizationId: organization.id,
    organizationName: organization.name,
    timeZone: organization.timeZone,
    teamName: (id) => names.team(id)?.name ?? null,
    // An upstream that is no longer configured, or one of the organisation's own, is its own vendor.
    providerOf: (target) => vendors.get(target) ?? target,
  };
}

function vendorsOf(config: Config): ReadonlyMap<string, string> {
  return new Map(
    config.upstreams.flatMap(({ name, provider }) => {
      const vendor = VENDORS[provider];
      return vendor === undefined ? [] : [[name, vendor] as const];
    }),
  );
}

function printableOrNull(value: string | null): string | null {
  return value === null ? null : printable(value);
}
