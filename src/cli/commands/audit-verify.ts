import { readFile } from "node:fs/promises";

import type { Command } from "commander";

import type { ChainReport } from "../../ledger/audit/audit-finding.ts";
import { TrustedKeys } from "../../ledger/audit/statement-signer.ts";
import { verifyExport } from "../../ledger/audit/verify-export.ts";
import { verifyStore } from "../../ledger/audit/verify-store.ts";
import { addChainOptions, type ChainOptions, chosenChains } from "../audit/chain-options.ts";
import { ProgressLine } from "../audit/progress.ts";
import { readExport } from "../audit/read-export.ts";
import type { CommonOptions } from "../cli-context.ts";
import { CliError, EXIT } from "../cli-error.ts";
import { addInstallationOptions, defineCommand, type Host, outputFor } from "../define-command.ts";
import type { Output } from "../output.ts";
import { isSystemError } from "../system-error.ts";
import { printable } from "../terminal/text-width.ts";
import { withRecords } from "../with-records.ts";

const EXAMPLES = [
  { line: "weir audit verify", note: "exit code 1 when something is wrong" },
  { line: "weir audit verify --org acme --class audit --json" },
  { line: "weir audit verify --file audit.jsonl --public-key weir-audit.pem", note: "an export, without Weir's data" },
];

interface Options extends CommonOptions, ChainOptions {
  readonly file?: string;
  readonly publicKey?: string;
}

/** `weir audit verify`. */
export function auditVerifyCommand(host: Host): Command {
  const command = defineCommand({
    name: "verify",
    summary: "check that nothing was changed, removed or put in",
    description:
      "Reads every row of the audit trail, or of an export, and checks its hash, its place in its chain, and the signed heads. Says which row is wrong and how.",
    examples: EXAMPLES,
  });
  command
    .option("--file <file>", "check an export instead of the database")
    .option("--public-key <file>", "believe the keys in this PEM file alone (default: this installation's)");
  addChainOptions(command);
  return addInstallationOptions(command).action(async (options: Options) => host.finish(await verify(host, options)));
}

async function verify(host: Host, options: Options): Promise<number> {
  const { context } = host;
  const output = outputFor(host, options);
  const progress = new ProgressLine(context.terminal, context.clock, !output.isJson);
  const reports =
    options.file === undefined
      ? await verifyDatabase(host, options, progress)
      : await verifyExport(readExport(options.file), {
          keys: await keysOf(host, options),
          onProgress: (rows) => progress.show(`${rows.toLocaleString("en-US")} rows`),
        });
  progress.clear();
  const isValid = reports.every(({ findings }) => findings.length === 0);
  output.result({ valid: isValid, chains: reports.map(reportDocument) }, () => reportText(reports, output));
  return isValid ? EXIT.ok : EXIT.negative;
}

async function verifyDatabase(host: Host, options: Options, progress: ProgressLine): Promise<ChainReport[]> {
  return await withRecords(host.context, options, async ({ audit, directory }) => {
    const chains = chosenChains(await audit.store.chains(), options, await directory.load());
    const keys = options.publicKey === undefined ? audit.trusted : await keysIn(options.publicKey);
    const total = chains.reduce((sum, { seq }) => sum + seq, 0);
    const reports: ChainReport[] = [];
    let done = 0;
    for (const chain of chains) {
      const kept = await audit.keptHead(chain);
      const onProgress = (rows: number): void => {
        progress.show(`${(done + rows).toLocaleString("en-US")} of about ${total.toLocaleString("en-US")} rows`);
      };
      const report = await verifyStore(audit.store, chain, { keys, anchors: kept === null ? [] : [kept], onProgress });
      done += report.rows;
      reports.push(report);
    }
    return reports;
  });
}

async function keysOf(host: Host, options: Options): Promise<TrustedKeys> {
  if (options.publicKey !== undefined) return await keysIn(options.publicKey);
  return new TrustedKeys([(await host.context.auditSigner(options)).publicKey]);
}

/** Every public key of a PEM file. */
async function keysIn(file: string): Promise<TrustedKeys> {
  const remedy = "Write it with `weir audit public-key > weir-audit.pem` where the trail was signed.";
  try {
    const text = await readFile(file, "utf8");
    const pems = text.match(/-----BEGIN PUBLIC KEY-----[^-]+-----END PUBLIC KEY-----/g) ?? [];
    if (pems.length === 0) throw new CliError("usage", `${file} holds no public key`, { remedy });
    return new TrustedKeys(pems);
  } catch (error) {
    if (error instanceof CliError) throw error;
    const why = isSystemError(error) ? error.code : "it holds no Ed25519 public key";
    throw new CliError("usage", `cannot read a public key from ${file}: ${why}`, { remedy, cause: error });
  }
}

function reportDocument(report: ChainReport) {
  return {
    organization_id: report.organizationId,
    class: report.retentionClass,
    rows: report.rows,
    heads: report.heads,
    first_seq: report.firstSeq,
    last_seq: report.lastSeq,
    unsigned_rows: report.unsignedRows,
    findings: report.findings.map(({ kind, seq, message }) => ({ kind, seq, message })),
    more_findings: report.moreFindings,
  };
}

function reportText(reports: readonly ChainReport[], { style }: Output): string[] {
  if (reports.length === 0) return ["There is nothing to verify."];
  return reports.flatMap((report) => {
    const { organizationId, retentionClass, rows, heads, firstSeq, lastSeq, unsignedRows, findings } = report;
    const name = printable(`${organizationId}/${retentionClass}`);
    const span = rows === 0 ? "no rows" : `rows ${firstSeq} to ${lastSeq} (${rows.toLocaleString("en-US")})`;
    const tail = unsignedRows === 0 ? "" : `, the last ${unsignedRows.toLocaleString("en-US")} not signed yet`;
    const line = `${name}: ${span}, ${heads.toLocaleString("en-US")} signed heads${tail}`;
    if (findings.length === 0) return [`${style.green("valid")}   ${line}`];
    const told = findings.map(({ kind, seq, message }) => printable(`  row ${seq}: ${kind}: ${message}`));
    const more = report.moreFindings === 0 ? [] : [`  and ${report.moreFindings.toLocaleString("en-US")} more`];
    return [`${style.red("INVALID")} ${line}`, ...told, ...more];
  });
}
