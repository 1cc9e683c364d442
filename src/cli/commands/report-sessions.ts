import type { Command } from "commander";

import { formatUsd } from "../../core/money.ts";
import { burnRate } from "../../ledger/reports/burn-rate.ts";
import type { SessionRow } from "../../store/ports/reports.ts";
import { EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { wholeNumber } from "../options/option-parser.ts";
import { ownerOf } from "../report/labels.ts";
import { addReportOptions, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { count, dateTime, duration, rangeDocument, sumsDocument, titleOf, withBars } from "../report/report-text.ts";

const DEFAULT_ROWS = 20;

interface Options extends ReportOptions {
  readonly limit?: number;
}

/** `weir report sessions`. */
export function reportSessionsCommand(host: Host): Command {
  const command = defineCommand({
    name: "sessions",
    summary: "the dearest sessions, and how fast they burn",
    description:
      "Lists the dearest sessions of a span with who ran them, how long, and how much they spent an hour (over at least five minutes). `weir report session <id>` shows one by agents. Figures are those within the span.",
    examples: [
      { line: "weir report sessions --last 7d" },
      { line: "weir report sessions --last 24h --limit 5 --json" },
    ],
  }).option("--limit <n>", `sessions to show (default: ${DEFAULT_ROWS})`, wholeNumber(1, 10_000));
  return addReportOptions(command).action(async (options: Options) =>
    host.finish(await withReport(host, options, (frame) => showSessions(frame, options.limit ?? DEFAULT_ROWS))),
  );
}

async function showSessions(frame: ReportFrame, limit: number): Promise<number> {
  const { records, window, organization, range, names, output } = frame;
  const [rows, paused] = await Promise.all([
    records.reports.sessions({ ...window, limit }),
    records.sessionPauses.active(organization.id),
  ]);
  const pausedIds = new Set(paused.map(({ sessionId }) => sessionId));
  const document = {
    ...rangeDocument(organization, range),
    sessions: rows.map((row) => ({
      session: row.sessionId,
      owner: ownerOf(row, names),
      user_id: row.userId,
      key_id: row.keyId,
      from: isoTime(row.firstAtMs),
      to: isoTime(row.lastAtMs),
      burn_rate_usd_per_hour: formatUsd(burnRate(row)),
      paused: pausedIds.has(row.sessionId),
      ...sumsDocument(row),
    })),
  };
  output.result(document, () => sessionsText(rows, pausedIds, frame));
  return EXIT.ok;
}

function sessionsText(rows: readonly SessionRow[], paused: ReadonlySet<string>, frame: ReportFrame): string[] {
  const { organization, range, names, output } = frame;
  const title = titleOf(organization, range);
  if (rows.length === 0) return [`No sessions: ${title}.`];
  const total = rows.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
  const toCents = (microUsd: number): number => Math.round(microUsd / 10_000) * 10_000;
  const table = withBars(
    [
      {
        header: "SESSION",
        cells: rows.map(({ sessionId }) => (paused.has(sessionId) ? `${sessionId} (paused)` : sessionId)),
      },
      { header: "OWNER", cells: rows.map((row) => ownerOf(row, names)), isFlexible: true },
      { header: "BEGAN", cells: rows.map(({ firstAtMs }) => dateTime(firstAtMs, organization.timeZone)) },
      { header: "LASTED", cells: rows.map((row) => duration(row.lastAtMs - row.firstAtMs)), align: "right" },
      { header: "REQUESTS", cells: rows.map(({ requests }) => count(requests)), align: "right" },
      { header: "USD/HOUR", cells: rows.map((row) => formatUsd(toCents(burnRate(row)))), align: "point" },
      { header: "COST USD", cells: rows.map(({ costMicroUsd }) => formatUsd(costMicroUsd)), align: "point" },
    ],
    { values: rows.map(({ costMicroUsd }) => costMicroUsd), total },
    { style: output.style, columns: output.terminal.out.columns },
  );
  return [output.style.bold(title), "", ...table];
}
