import { once } from "node:events";
import { createWriteStream } from "node:fs";
import { finished } from "node:stream/promises";

import { type Command, Option } from "commander";

import { CSV_HEADER, toCsvLine } from "../../ledger/audit/export-csv.ts";
import { toJsonLine } from "../../ledger/audit/export-json-lines.ts";
import { exportChain, type ExportRecord } from "../../ledger/audit/export-records.ts";
import { commandAct } from "../audit/command-act.ts";
import { addChainOptions, type ChainOptions, chosenChains } from "../audit/chain-options.ts";
import { ProgressLine } from "../audit/progress.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import { INSTALLATION } from "../../core/audit-act.ts";
import { optionParser } from "../options/option-parser.ts";
import { type Moment, momentMs, parseMoment } from "../options/parse-moment.ts";
import { isSystemError } from "../system-error.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir audit export --output audit.jsonl" },
  { line: "weir audit export --from 2026-11-01 --to 2026-11-30 --format csv --output november.csv" },
  { line: "weir audit export --class security --output exchanges.jsonl" },
];

interface Options extends CommonOptions, ChainOptions {
  readonly output: string;
  readonly format: "jsonl" | "csv";
  readonly from?: Moment;
  readonly to?: Moment;
}

/** `weir audit export`. */
export function auditExportCommand(host: Host): Command {
  const command = defineCommand({
    name: "export",
    summary: "write the trail to a file that can be verified anywhere",
    description:
      "Writes rows, heads and a signed beginning and end of every chain as JSON Lines or CSV. `weir audit verify --file` checks such a file with the public key alone. The export is itself an act in the trail.",
    examples: EXAMPLES,
  });
  command
    .requiredOption("--output <file>", "file to write; must not exist")
    .addOption(new Option("--format <format>", "form of the file").choices(["jsonl", "csv"]).default("jsonl"))
    .option("--from <time>", "rows written from this date or time on (UTC; default: all)", optionParser(parseMoment))
    .option("--to <time>", "rows written up to this time, or to the end of this date", optionParser(parseMoment));
  addChainOptions(command);
  return addInstallationOptions(command).action(async (options: Options) =>
    host.finish(await exportTrail(host, options)),
  );
}

async function exportTrail(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  const progress = new ProgressLine(context.terminal, context.clock, !output.isJson);
  const range = {
    fromMs: options.from === undefined ? Number.MIN_SAFE_INTEGER : momentMs(options.from, "UTC"),
    toMs: options.to === undefined ? Infinity : momentMs(options.to, "UTC", "end"),
  };
  return await withRecords(context, options, async ({ audit, directory }) => {
    const chains = chosenChains(await audit.store.chains(), options, await directory.load());
    const object = `file:${options.output}`;
    const after = {
      format: options.format,
      chains: chains.map((one) => `${one.organizationId}/${one.retentionClass}`),
    };
    const what = { organizationId: INSTALLATION, action: "audit.export", object, before: null, after };
    await audit.trail.record(commandAct(context, what));
    const file = await openNew(options.output);
    const parts = { store: audit.store, signer: audit.signer, clock: context.clock };
    let rows = 0;
    if (options.format === "csv") await file.write(CSV_HEADER);
    const toLine = options.format === "csv" ? toCsvLine : toJsonLine;
    for (const chain of chains) {
      for await (const page of exportChain(parts, chain, range)) {
        await file.write(page.map(toLine).join(""));
        rows += page.filter(isRow).length;
        progress.show(`${rows.toLocaleString("en-US")} rows`);
      }
    }
    await file.close();
    progress.clear();
    const result = {
      file: options.output,
      format: options.format,
      chains: chains.length,
      rows,
      key_id: audit.signer.keyId,
    };
    output.result(result, () => [
      `Wrote ${rows.toLocaleString("en-US")} rows of ${chains.length} chains to ${options.output}, signed by key ${audit.signer.keyId}.`,
    ]);
    return EXIT.ok;
  });
}

function isRow(record: ExportRecord): boolean {
  return record.type === "row";
}

/** A new file, readable by its owner only, written no faster than the disk takes it. */
async function openNew(file: string): Promise<{ write(text: string): Promise<void>; close(): Promise<void> }> {
  const stream = createWriteStream(file, { flags: "wx", mode: 0o600, flush: true });
  try {
    await once(stream, "open");
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const exists = error.code === "EEXIST";
    throw new CliError(
      exists ? "usage" : "unavailable",
      `cannot write ${file}: ${exists ? "it exists already" : error.code}`,
      {
        remedy: "Choose another file with --output.",
        cause: error,
      },
    );
  }
  return {
    write: async (text) => {
      if (!stream.write(text)) await once(stream, "drain");
    },
    close: async () => {
      stream.end();
      await finished(stream);
    },
  };
}
