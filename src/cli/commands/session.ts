import type { Command } from "commander";

import { formatUsd } from "../../core/money.ts";
import { performAudited } from "../../core/perform-audited.ts";
import type { SessionPauseRecord } from "../../store/ports/session-pauses.ts";
import { addReasonOption, commandAct, type ReasonOption } from "../audit/command-act.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { defineCommand, type Host } from "../define-command.ts";
import { quoted } from "../directory/find-record.ts";
import { isoTime } from "../keys/key-document.ts";
import { addOrganizationOption, type ReportFrame, type ReportOptions, withReport } from "../report/report-frame.ts";
import { dateTime, duration } from "../report/report-text.ts";
import { tableLines } from "../terminal/table.ts";
import { printable } from "../terminal/text-width.ts";

/** `weir session`. */
export function sessionCommand(host: Host): Command {
  return defineCommand({
    name: "session",
    summary: "see and resume sessions that were paused because they ran away",
    examples: [{ line: "weir session list" }, { line: "weir session resume 5f0c2a1e-77aa-4c0e-9f0e-2b8d5f3c9a10" }],
  })
    .addCommand(listCommand(host))
    .addCommand(resumeCommand(host));
}

function listCommand(host: Host): Command {
  const command = defineCommand({
    name: "list",
    summary: "list paused sessions",
    description:
      "Lists the sessions that are paused because they burnt money far faster than their own history and what is usual in the organisation.",
    examples: [{ line: "weir session list" }],
  });
  return addOrganizationOption(command).action(async (options: ReportOptions) =>
    host.finish(await withReport(host, options, listPaused)),
  );
}

function resumeCommand(host: Host): Command {
  const command = defineCommand({
    name: "resume",
    summary: "let a paused session go on",
    description:
      "Lets a paused session go on, on every replica within a second. Its history is forgotten: it is judged again once it has a new one.",
    examples: [{ line: "weir session resume 5f0c2a1e-77aa-4c0e-9f0e-2b8d5f3c9a10 --reason 'a long migration'" }],
  }).argument("<id>", "id of the session, as `weir session list` shows it");
  return addOrganizationOption(addReasonOption(command)).action(
    async (id: string, options: ReportOptions & ReasonOption) =>
      host.finish(await withReport(host, options, (frame) => resume(host, frame, { id, options }))),
  );
}

async function listPaused({ records, organization, output }: ReportFrame): Promise<number> {
  const paused = await records.sessionPauses.active(organization.id);
  output.result({ sessions: paused.map(pauseDocument) }, () => {
    if (paused.length === 0) return [`No session of ${printable(organization.name)} is paused.`];
    return tableLines(
      [
        { header: "SESSION", cells: paused.map(({ sessionId }) => sessionId) },
        { header: "PAUSED", cells: paused.map(({ atMs }) => dateTime(atMs, organization.timeZone)) },
        { header: "SPENT USD", cells: paused.map(({ spentMicroUsd }) => formatUsd(spentMicroUsd)), align: "point" },
        { header: "WITHIN", cells: paused.map(({ windowMs }) => duration(windowMs)), align: "right" },
        { header: "USUAL USD", cells: paused.map(({ usualMicroUsd }) => formatUsd(usualMicroUsd)), align: "point" },
      ],
      { style: output.style, columns: output.terminal.out.columns },
    );
  });
  return EXIT.ok;
}

async function resume(
  { context }: Host,
  { records, organization, output, nowMs }: ReportFrame,
  { id, options }: { id: string; options: ReasonOption },
): Promise<number> {
  const paused = await records.sessionPauses.active(organization.id);
  const pause = paused.find(({ sessionId }) => sessionId === id);
  if (pause === undefined) {
    throw new CliError("not_found", `no session ${quoted(id)} is paused in ${organization.name}`, {
      remedy: "`weir session list` shows those that are.",
      details: { session: id },
    });
  }
  const act = commandAct(
    context,
    {
      organizationId: organization.id,
      action: "session.resume",
      object: `session:${id}`,
      before: { state: "paused", since: isoTime(pause.atMs) },
      after: { state: "running" },
    },
    options,
  );
  await performAudited(records.audit.trail, act, () =>
    records.sessionPauses.resume(organization.id, id, { actor: act.actor, atMs: nowMs }),
  );
  output.result({ session: pauseDocument(pause), changed: true }, () => [
    `Session ${printable(id)} may go on. Every running Weir knows within a second.`,
  ]);
  return EXIT.ok;
}

function pauseDocument(pause: SessionPauseRecord): object {
  return {
    session: pause.sessionId,
    paused_at: isoTime(pause.atMs),
    spent_usd: formatUsd(pause.spentMicroUsd),
    spent_micro_usd: pause.spentMicroUsd,
    usual_usd: formatUsd(pause.usualMicroUsd),
    usual_micro_usd: pause.usualMicroUsd,
    window_ms: pause.windowMs,
  };
}
