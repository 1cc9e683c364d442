import type { Command } from "commander";

import type { UserRow } from "../../store/ports/reports.ts";
import { EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { wholeNumber } from "../options/option-parser.ts";
import { addReportOptions, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { count, dateTime, rangeDocument, sumColumns, sumsDocument, titleOf, withBars } from "../report/report-text.ts";

const TABLE_ROWS = 50;
const MOST_ROWS = 100_000;

interface Options extends ReportOptions {
  readonly limit?: number;
}

/** `weir report users`. */
export function reportUsersCommand(host: Host): Command {
  const command = defineCommand({
    name: "users",
    summary: "who uses what: conversations, requests, tokens, models, cost",
    description:
      "Shows for each user the conversations (sessions that the client named), requests, tokens by kind, the models used (the dearest first), the last activity and the cost. Keys without a user are one line.",
    examples: [{ line: "weir report users --last 30d" }, { line: "weir report users --last 7d --json" }],
  }).option(
    "--limit <n>",
    `users to show, the dearest (default: ${TABLE_ROWS}; all with --json)`,
    wholeNumber(1, MOST_ROWS),
  );
  return addReportOptions(command).action(async (options: Options) =>
    host.finish(await withReport(host, options, (frame) => showUsers(frame, options.limit))),
  );
}

async function showUsers(frame: ReportFrame, limit: number | undefined): Promise<number> {
  const { records, window, organization, range, output } = frame;
  const rows = await records.reports.users({ ...window, limit: limit ?? (output.isJson ? MOST_ROWS : TABLE_ROWS) });
  const document = {
    ...rangeDocument(organization, range),
    users: rows.map((row) => ({
      user: row.userId === null ? null : { id: row.userId, name: nameOf(row, frame) },
      conversations: row.conversations,
      models: row.models,
      last_active: isoTime(row.lastAtMs),
      ...sumsDocument(row),
    })),
  };
  output.result(document, () => usersText(rows, frame));
  return EXIT.ok;
}

function usersText(rows: readonly UserRow[], frame: ReportFrame): string[] {
  const { organization, range, output } = frame;
  const title = titleOf(organization, range);
  if (rows.length === 0) return [`No usage: ${title}.`];
  const table = withBars(
    [
      { header: "USER", cells: rows.map((row) => nameOf(row, frame)), isFlexible: true },
      {
        header: "CONVERSATIONS",
        cells: rows.map(({ conversations }) => count(conversations)),
        align: "right",
      },
      ...sumColumns(rows),
      { header: "LAST ACTIVE", cells: rows.map(({ lastAtMs }) => dateTime(lastAtMs, organization.timeZone)) },
      { header: "MODELS", cells: rows.map(({ models }) => models.join(", ")), isFlexible: true },
    ],
    { values: rows.map(({ costMicroUsd }) => costMicroUsd), total: sum(rows) },
    { style: output.style, columns: output.terminal.out.columns },
  );
  return [output.style.bold(title), "", ...table];
}

function nameOf({ userId }: UserRow, { names }: ReportFrame): string {
  return userId === null ? "(no user)" : (names.user(userId)?.name ?? userId);
}

function sum(rows: readonly UserRow[]): number {
  return rows.reduce((total, { costMicroUsd }) => total + costMicroUsd, 0);
}
