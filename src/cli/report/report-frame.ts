import { type Command, Option } from "commander";

import type { OrganizationRecord } from "../../store/ports/directory.ts";
import type { ReportWindow } from "../../store/ports/reports.ts";
import type { CommonOptions, Records } from "../cli-context.ts";
import { addInstallationOptions, type Host, outputFor } from "../define-command.ts";
import { requireOrganization } from "../directory/find-record.ts";
import { Names } from "../directory/names.ts";
import { optionParser } from "../options/option-parser.ts";
import { parseMoment } from "../options/parse-moment.ts";
import { parseSpan } from "../options/parse-span.ts";
import type { Output } from "../output.ts";
import { type RangeOptions, type UsageRange, usageRange } from "../usage/usage-range.ts";
import { withRecords } from "../with-records.ts";

/** What every report may be told. */
export interface ReportOptions extends CommonOptions, RangeOptions {
  readonly org?: string;
}

/** What a report works with: the records, the organisation, the span that it is about. */
export interface ReportFrame {
  readonly records: Records;
  readonly organization: OrganizationRecord;
  readonly names: Names;
  readonly range: UsageRange;
  /** The range as stores take it: open at its end where no end was asked for, which is cheaper to answer. */
  readonly window: ReportWindow;
  readonly output: Output;
  readonly nowMs: number;
}

/** `--last`, `--from`, `--to`, `--org` and where the installation is. */
export function addReportOptions(command: Command): Command {
  command
    .addOption(
      new Option("--last <span>", "the last 30d (default), 24h, 2w, 3mo; whole days, today included")
        .argParser(optionParser(parseSpan))
        .conflicts("from"),
    )
    .option("--from <time>", "from this date or time on", optionParser(parseMoment))
    .option("--to <time>", "up to this time, or to the end of this date (default: now)", optionParser(parseMoment));
  return addOrganizationOption(command);
}

/** `--org` and where the installation is, for reports that are not about a span. */
export function addOrganizationOption(command: Command): Command {
  command.option("--org <organisation>", "organisation, by name or id; needed when there are several");
  return addInstallationOptions(command);
}

/** Opens the records for a report and finds out what it is about. */
export async function withReport(
  host: Host,
  options: ReportOptions,
  work: (frame: ReportFrame) => Promise<number>,
): Promise<number> {
  const { context } = host;
  return await withRecords(context, options, async (records) => {
    const nowMs = context.clock.nowMs();
    const snapshot = await records.directory.load();
    const organization = requireOrganization(snapshot, options.org);
    const last = options.last ?? ({ count: 30, unit: "days" } as const);
    const range = usageRange(options.from === undefined ? { ...options, last } : options, nowMs, organization.timeZone);
    const toMs = options.to === undefined ? Infinity : range.toMs;
    return await work({
      records,
      organization,
      names: new Names(snapshot),
      range,
      window: { organizationId: organization.id, fromMs: range.fromMs, toMs },
      output: outputFor(host, options),
      nowMs,
    });
  });
}
