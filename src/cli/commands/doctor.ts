import type { Command } from "commander";

import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { allChecks } from "../doctor/all-checks.ts";
import { Examination } from "../doctor/examination.ts";
import type { Finding } from "../doctor/finding.ts";
import { runCheck } from "../doctor/run-check.ts";
import type { Output } from "../output.ts";
import type { Style } from "../terminal/style.ts";

const EXAMPLES = [
  { line: "weir doctor" },
  { line: "weir doctor --offline", note: "asks no upstream" },
  { line: "weir doctor --json | jq '.checks[] | select(.status == \"fail\")'" },
];

interface Options extends CommonOptions {
  readonly offline?: boolean;
  readonly credentials: boolean;
}

interface Row {
  readonly id: string;
  readonly title: string;
  readonly finding: Finding;
}

/** `weir doctor`. */
export function doctorCommand(host: Host): Command {
  const command = defineCommand({
    name: "doctor",
    summary: "look for what is wrong, and say how to put it right",
    description:
      "Examines everything that Weir stands on, changes nothing and spends nothing. Exit 1 when a check fails; warnings are not failures.",
    examples: EXAMPLES,
  });
  command
    .option("--offline", "ask no upstream")
    .option("--no-credentials", "ask upstreams without their credential: reachable is enough");
  return addInstallationOptions(command).action(async (options: Options) => host.finish(await examine(host, options)));
}

async function examine(host: Host, options: Options): Promise<number> {
  const output = outputFor(host, options);
  const examination = await Examination.begin(host.context, options);
  const checks = allChecks(examination.loaded, { isOffline: options.offline === true });
  const width = Math.max(...checks.map(({ title }) => title.length));
  const rows: Row[] = [];
  for (const check of checks) {
    announce(output, check.title);
    const row = { id: check.id, title: check.title, finding: await runCheck(check, examination) };
    rows.push(row);
    show(output, row, width);
  }
  const count = (status: Finding["status"]): number => rows.filter(({ finding }) => finding.status === status).length;
  const counts = { ok: count("ok"), warn: count("warn"), fail: count("fail"), skip: count("skip") };
  output.result(
    {
      ok: counts.fail === 0,
      counts,
      checks: rows.map(({ id, title, finding }) => ({ id, title, ...finding })),
    },
    () => ["", summary(counts, output.style)],
  );
  return counts.fail === 0 ? EXIT.ok : EXIT.negative;
}

/** On a terminal, says what is being looked at; the result takes the line's place. */
function announce({ isJson, terminal, style }: Output, title: string): void {
  if (!isJson && terminal.out.isTty) terminal.out.write(style.dim(`… ${title}`));
}

function show({ isJson, terminal, style }: Output, { title, finding }: Row, width: number): void {
  if (isJson) return;
  const { status, detail, remedy } = finding;
  const indent = " ".repeat(width + 4);
  const clear = terminal.out.isTty ? "\r\u001b[K" : "";
  const text = detail.replaceAll("\n", `\n${indent}`);
  terminal.out.write(
    `${clear}${MARKS[status](style)} ${title.padEnd(width)}  ${status === "skip" ? style.dim(text) : text}\n`,
  );
  if (remedy !== "") terminal.out.write(`${indent}${style.cyan("fix:")} ${remedy}\n`);
}

const MARKS: Readonly<Record<Finding["status"], (style: Style) => string>> = {
  ok: (style) => style.green("✓"),
  warn: (style) => style.yellow("!"),
  fail: (style) => style.red("✗"),
  skip: (style) => style.dim("–"),
};

function summary(counts: Readonly<Record<Finding["status"], number>>, style: Style): string {
  const parts = [
    `${counts.ok} in order`,
    ...(counts.warn > 0 ? [style.yellow(`${counts.warn} ${counts.warn === 1 ? "warning" : "warnings"}`)] : []),
    ...(counts.fail > 0 ? [style.red(`${counts.fail} failed`)] : []),
    ...(counts.skip > 0 ? [`${counts.skip} not looked at`] : []),
  ];
  return `${parts.join(", ")}.`;
}
