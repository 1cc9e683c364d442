import { type Command, Option } from "commander";

import { type AuditResult, INSTALLATION } from "../../core/audit-act.ts";
import type { AuditQuery, AuditRow } from "../../store/ports/audit.ts";
import type { DirectorySnapshot } from "../../store/ports/directory.ts";
import { auditRowDocument } from "../audit/audit-row-document.ts";
import { addChainOptions, type ChainOptions, chosenOrganization } from "../audit/chain-options.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { optionParser, wholeNumber } from "../options/option-parser.ts";
import { parseMoment } from "../options/parse-moment.ts";
import { parseSpan } from "../options/parse-span.ts";
import type { Output } from "../output.ts";
import { tableLines } from "../terminal/table.ts";
import { type RangeOptions, usageRange } from "../usage/usage-range.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir audit list", note: "the last 7 days, newest first" },
  { line: "weir audit list --last 30d --action 'key.*'" },
  { line: "weir audit list --object key:key_01k9z3… --json" },
  { line: "weir audit list --actor cli:ada --result refused" },
];

const RESULTS: readonly AuditResult[] = ["done", "refused", "failed"];
const DEFAULT_ROWS = 100;
const MOST_ROWS = 10_000;

interface Options extends CommonOptions, RangeOptions, ChainOptions {
  readonly actor?: string;
  readonly action?: string;
  readonly object?: string;
  readonly result?: AuditResult;
  readonly request?: string;
  readonly limit: number;
}

/** `weir audit list`. */
export function auditListCommand(host: Host): Command {
  const command = defineCommand({
    name: "list",
    summary: "who did what, newest first",
    description:
      "Lists rows of the audit trail. A filter that ends in * takes what begins like it. Whoever can run this command on the installation sees all that is kept.",
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
    .option("--actor <actor>", "only this actor: cli:ada, key:key_…, user:usr_…, system")
    .option("--action <action>", "only this action: key.create, 'key.*'")
    .option("--object <object>", "only what was done to this: key:key_…")
    .addOption(new Option("--result <result>", "only what came to this").choices(RESULTS))
    .option("--request <id>", "only what this request did")
    .option("--limit <n>", "rows to show, the newest", wholeNumber(1, MOST_ROWS), DEFAULT_ROWS);
  addChainOptions(command);
  return addInstallationOptions(command).action(async (options: Options) => host.finish(await listActs(host, options)));
}

async function listActs(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  return await withRecords(context, options, async ({ directory, audit }) => {
    const snapshot = await directory.load();
    const nowMs = context.clock.nowMs();
    const rows = await audit.store.find(queryOf(options, snapshot, nowMs));
    output.result({ rows: rows.map(auditRowDocument) }, () => listText(rows, output));
    return EXIT.ok;
  });
}

function queryOf(options: Options, snapshot: DirectorySnapshot, nowMs: number): AuditQuery {
  const chosen = chosenOrganization(options, snapshot);
  const everybody = [INSTALLATION, ...snapshot.organizations.map(({ id }) => id)];
  const { actor, action, object, result } = options;
  return {
    organizationIds: chosen === null ? everybody : [chosen],
    ...usageRange(options, nowMs, snapshot.organizations[0]?.timeZone ?? "UTC"),
    visibleFromMs: null,
    ...(options.class === undefined ? {} : { retentionClass: options.class }),
    ...(actor === undefined ? {} : { actor }),
    ...(action === undefined ? {} : { action }),
    ...(object === undefined ? {} : { object }),
    ...(result === undefined ? {} : { result }),
    ...(options.request === undefined ? {} : { requestId: options.request }),
    limit: options.limit,
  };
}

function listText(rows: readonly AuditRow[], output: Output): string[] {
  if (rows.length === 0) return ["No acts."];
  const { style, terminal } = output;
  const paint = (padded: string, row: number): string => {
    const result = rows[row]?.result;
    return result === "done" ? padded : result === "refused" ? style.yellow(padded) : style.red(padded);
  };
  return tableLines(
    [
      { header: "time", cells: rows.map(({ atMs }) => isoTime(atMs)) },
      { header: "actor", cells: rows.map(({ actor }) => actor) },
      { header: "action", cells: rows.map(({ action }) => action) },
      { header: "object", cells: rows.map(({ object }) => object ?? "") },
      { header: "result", cells: rows.map(({ result }) => result), paint },
      { header: "from", cells: rows.map(({ address }) => address ?? "") },
      { header: "reason", cells: rows.map(({ reason }) => reason ?? ""), isFlexible: true },
    ],
    { style, columns: terminal.out.columns },
  );
}
