import type { Command } from "commander";

import { applyRetention, type RetentionResult } from "../../ledger/audit/retention.ts";
import { addReasonOption, commandAct, type ReasonOption } from "../audit/command-act.ts";
import type { CommonOptions } from "../cli-context.ts";
import { EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { isoTime } from "../keys/key-document.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir audit retain --dry-run", note: "what has expired" },
  { line: "weir audit retain", note: "a running Weir does this every six hours" },
];

interface Options extends CommonOptions, ReasonOption {
  readonly dryRun?: boolean;
}

/** `weir audit retain`. */
export function auditRetainCommand(host: Host): Command {
  const command = defineCommand({
    name: "retain",
    summary: "remove rows that have expired, leaving signed checkpoints",
    description:
      "Removes rows older than audit.retention says. A signed checkpoint stands for what was removed, so that the rest still verifies. Expired rows that do not verify are kept: they are evidence.",
    examples: EXAMPLES,
  });
  command.option("--dry-run", "only say what would be removed");
  return addInstallationOptions(addReasonOption(command)).action(async (options: Options) =>
    host.finish(await retain(host, options)),
  );
}

async function retain(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  const isDryRun = options.dryRun === true;
  return await withRecords(context, options, async ({ config, audit }) => {
    const { audit_days, security_days } = config.audit.retention;
    const { store, trail, signer, trusted: keys } = audit;
    const what = { organizationId: "", action: "audit.retain", object: null, before: null, after: null };
    const { actor, reason } = commandAct(context, what, options);
    const results = await applyRetention(
      { store, trail, signer, keys, clock: context.clock },
      { days: { audit: audit_days, security: security_days }, actor, reason, isDryRun },
    );
    output.result({ dry_run: isDryRun, chains: results.map(resultDocument) }, () =>
      results.length === 0 ? ["Nothing has expired."] : results.map((result) => resultText(result, isDryRun)),
    );
    return results.some(({ finding }) => finding !== null) ? EXIT.negative : EXIT.ok;
  });
}

function resultDocument({ organizationId, retentionClass, cutoffMs, removed, throughSeq, finding }: RetentionResult) {
  return {
    organization_id: organizationId,
    class: retentionClass,
    cutoff: isoTime(cutoffMs),
    removed,
    through_seq: throughSeq,
    finding: finding === null ? null : { kind: finding.kind, seq: finding.seq, message: finding.message },
  };
}

function resultText(result: RetentionResult, isDryRun: boolean): string {
  const { organizationId, retentionClass, cutoffMs, removed, throughSeq, finding } = result;
  const chain = `${organizationId}/${retentionClass}`;
  if (finding !== null) {
    return `${chain}: rows up to ${throughSeq} have expired but do not verify, and are kept: row ${finding.seq}: ${finding.message}`;
  }
  const verb = isDryRun ? "would be removed" : "removed";
  return `${chain}: ${removed.toLocaleString("en-US")} rows from before ${isoTime(cutoffMs)} ${verb}, up to row ${throughSeq}.`;
}
