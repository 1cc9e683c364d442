import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, readFile, writeFile } from "node:fs/promises";
import { basename, dirname } from "node:path";

import { Command } from "commander";

import { isLoopbackHost } from "../../config/ip-address.ts";
import { parseTrace } from "../../ops/load/arrival/parse-trace.ts";
import { comparisonText } from "../../ops/load/display/compare-text.ts";
import { describeLoad, describeRequests } from "../../ops/load/display/describe-plan.ts";
import { ProgressWriter } from "../../ops/load/display/progress-writer.ts";
import { summaryText } from "../../ops/load/display/summary-text.ts";
import { reportPage } from "../../ops/load/html/report-page.ts";
import { LoadError, type LoadErrorKind } from "../../ops/load/load-error.ts";
import { checkPlan } from "../../ops/load/plan/check-plan.ts";
import type { LoadPlan } from "../../ops/load/plan/load-plan.ts";
import { planFromFlags, type BenchFlags } from "../../ops/load/plan/plan-from-flags.ts";
import { readSecrets } from "../../ops/load/plan/read-secrets.ts";
import { parseNumber } from "../../ops/load/plan/units.ts";
import {
  compareReports,
  DEFAULT_THRESHOLDS,
  incompatible,
  planDifferences,
  type Comparison,
  type Thresholds,
} from "../../ops/load/report/compare-reports.ts";
import { parseLoadReport, type LoadReport } from "../../ops/load/report/load-report.ts";
import { summarisePlan } from "../../ops/load/report/plan-summary.ts";
import { runLoadTest } from "../../ops/load/run-load-test.ts";
import { CliError, EXIT, type CliErrorCode } from "../cli-error.ts";
import { addJsonOption } from "../define-command.ts";
import { keyFilePath, readKeyFile } from "../keys/key-file.ts";
import { wantsColors } from "../terminal/style.ts";

/** The process as this command sees it, so that tests can stand in for it. */
export interface BenchIo {
  readonly stdout: { write(text: string): unknown };
  readonly stderr: { write(text: string): unknown; readonly isTTY?: boolean; readonly columns?: number };
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Calls `listener` at each Ctrl-C or SIGTERM until the returned function is called. */
  onInterrupt(listener: () => void): () => void;
  setExitCode(code: number): void;
  exitNow(code: number): never;
}

/** How the command line knows the reasons why a load test could not be done. */
const CODE_OF_KIND: Readonly<Record<LoadErrorKind, CliErrorCode>> = {
  usage: "usage",
  refused: "usage",
  incompatible: "conflict",
  unreachable: "unavailable",
};

const EXIT_CODES = `
Exit codes:
  0    measured; no regression against the baseline, if one was given
  1    a regression: a metric passed its limit
  2    an option, file or plan is wrong, the target is not confirmed, or the runs cannot be compared
  3    the target does not answer, or no request succeeded
  130  ended by Ctrl-C (the report is written and marked as partial)`;

const RUN_EXAMPLES = `
Examples:
  $ weir bench                                              # 10 users, 20 requests each, against http://127.0.0.1:8080
  $ weir bench --users 50 --duration 1m --ramp 10s --body mix --think 1s-5s
  $ weir bench --rate 100 --duration 1m --body 100k         # open load: 100 requests/s whatever the target does
  $ weir bench --trace azure2023_code.csv --speed 10 --limit 1000
  $ weir bench --users 20 --duration 30s --out now.json --html now.html
  $ weir bench run --users 20 --duration 30s --baseline before.json --json
  $ weir bench compare before.json now.json --p95 15
  $ weir bench --url https://gateway.example.com --confirm-target gateway.example.com --rate 5 --duration 1m
${EXIT_CODES}`;

const COMPARE_EXAMPLES = `
Examples:
  $ weir bench compare before.json now.json
  $ weir bench compare before.json now.json --p95 10 --throughput 5 --error-rate 1 --html change.html
  $ weir bench compare before.json now.json --json
${EXIT_CODES}`;

interface CompareFlags {
  readonly p95: string;
  readonly throughput: string;
  readonly errorRate: string;
  readonly force?: boolean;
  readonly json?: boolean;
  readonly html?: string;
}

interface RunFlags extends BenchFlags, CompareFlags {
  readonly trace?: string;
  readonly header?: readonly string[];
  readonly keyFile?: string;
  readonly auth: string;
  readonly ca?: string;
  readonly salt?: string;
  readonly baseline?: string;
  readonly out?: string;
  readonly quiet?: boolean;
}

/** `weir bench`: load tests for any Messages endpoint, and the comparison of their reports. */
export function benchCommand(io: BenchIo): Command {
  const bench = new Command("bench")
    .description("Load-test a Messages endpoint (Weir, the Anthropic API, another gateway) and compare results")
    // Options after `compare` are its own, not the test's.
    .enablePositionalOptions();
  addRunOptions(bench)
    .addHelpText("after", RUN_EXAMPLES)
    .action((flags: RunFlags) => finish(io, () => runBench(flags, io)));
  addRunOptions(bench.command("run").description("Run a load test (the same as weir bench without run)"))
    .addHelpText("after", RUN_EXAMPLES)
    .action((flags: RunFlags) => finish(io, () => runBench(flags, io)));
  const compare = bench
    .command("compare")
    .description("Compare two reports; exit 1 when the second is worse than the limits allow")
    .argument("<before>", "report of the earlier run")
    .argument("<after>", "report of the later run");
  addJsonOption(
    addLimitOptions(compare)
      .optionsGroup("Results:")
      .option("--html <file>", "write the later run's report with the comparison as one HTML file"),
  )
    .addHelpText("after", COMPARE_EXAMPLES)
    .action((before: string, after: string, flags: CompareFlags) =>
      finish(io, () => compareFiles([before, after], flags, io)),
    );
  return bench;
}

function addRunOptions(command: Command): Command {
  const collect = (value: string, before: readonly string[] = []): readonly string[] => [...before, value];
  command
    .optionsGroup("Target:")
    .option("--url <url>", "base URL of the endpoint", "http://127.0.0.1:8080")
    .option("--confirm-target <host>", "the host of --url, to say that you may load it; needed beyond this machine")
    .option(
      "--key-file <file>",
      "file with one or more keys, one a line (else WEIR_KEY, ANTHROPIC_AUTH_TOKEN, ANTHROPIC_API_KEY, or on this machine ~/.config/weir/key)",
    )
    .option("--auth <how>", "send the key as x-api-key or bearer", "x-api-key")
    .option("--header <header>", 'further header, "name: value"; may be repeated', collect)
    .option("--ca <file>", "PEM file of a certificate authority to trust")
    .optionsGroup("Closed load (the default): each user waits for its answer")
    .option("--users <n>", "users at the same time (default: 10)")
    .option("--requests <n>", "requests of each user (default: 20 unless --duration is given)")
    .option("--think <time>", "pause between an answer and the next request, for example 2s or 1s-5s")
    .optionsGroup("Open load: requests come when they are due")
    .option("--rate <n>", "requests per second; needs --duration")
    .option("--arrival <kind>", "constant or poisson (default: constant)")
    .option("--trace <file>", "CSV of recorded arrivals: requests, rates, or rates of clients")
    .option("--speed <x>", "replay the trace x times faster")
    .option("--scale <share>", "send only this share of the trace, for example 0.1")
    .option("--trace-from <time>", "begin at this time of the trace")
    .option("--limit <n>", "end after n requests of the trace")
    .optionsGroup("Both:")
    .option("--duration <time>", "length of the measured part, for example 30s, 5m")
    .option("--ramp <time>", "reach the full users or rate over this time")
    .option("--warmup <time>", "time before measuring starts", "1s")
    .optionsGroup("Requests:")
    .option("--model <name>", "model to ask for", "claude-haiku-5-5")
    .option("--max-tokens <n>", "longest answer", "64")
    .option("--body <sizes>", "sizes of the bodies: 2k, or 2k,100k, with weights 2k:3,100k:1, or mix", "2k")
    .option("--shared-prefix <share>", "share of each body that all requests have in common", "1")
    .option("--stream", "ask for streams (the default)")
    .option("--no-stream", "ask for whole answers")
    .optionsGroup("Limits:")
    .option("--timeout <time>", "longest time for one request", "5m")
    .option("--drain <time>", "longest wait for requests in flight at the end", "30s")
    .option("--max-in-flight <n>", "most requests at once (default: the users, or 1000 for an open load)")
    .option("--max-rate <n>", "most requests per second (default: 50000 on this machine, 50 elsewhere)")
    .option("--max-errors <n>", "end the run after so many failed requests")
    .optionsGroup("Run:")
    .option("--no-keep-alive", "open a connection for each request")
    .option("--threads <n>", "load threads; more than one only when the report says that one was saturated", "1")
    .option("--seed <n>", "seed of sizes, contents and arrivals", "1")
    .option(
      "--salt <text>",
      "make bodies differ from other runs by this text (default: random, so that no cache answers)",
    )
    .option("--no-preflight", "do not try one request first")
    .optionsGroup("Results:")
    .option("--out <file>", "write the report as JSON")
    .option("--html <file>", "write the report as one HTML file")
    .option("--json", "print the report as JSON on stdout, and nothing else there")
    .option("--quiet", "show no progress")
    .option("--baseline <file>", "compare with this report; exit 1 on a regression");
  return addLimitOptions(command);
}

function addLimitOptions(command: Command): Command {
  return command
    .optionsGroup("Comparison:")
    .option("--p95 <percent>", "how much the 95th percentile may rise", String(DEFAULT_THRESHOLDS.p95Percent))
    .option("--throughput <percent>", "how much the throughput may fall", String(DEFAULT_THRESHOLDS.throughputPercent))
    .option(
      "--error-rate <points>",
      "percentage points that the error rate may rise",
      String(DEFAULT_THRESHOLDS.errorRatePoints),
    )
    .option("--force", "compare runs of different plans, or partial ones");
}

async function runBench(flags: RunFlags, io: BenchIo): Promise<number> {
  const { plan, keySource } = await readPlan(flags, io);
  checkPlan(plan);
  const thresholds = readThresholds(flags);
  const baseline = flags.baseline === undefined ? null : await readReport(flags.baseline);
  const differences = baseline === null ? [] : planDifferences(baseline.plan, summarisePlan(plan));
  if (differences.length > 0 && flags.force !== true) throw incompatible(differences);
  // A long run whose result cannot be written is a pity.
  for (const file of [flags.out, flags.html]) if (file !== undefined) await checkWritable(file);
  const report = await watchedRun(plan, { flags, keySource }, io);
  const interrupted = report.partial?.reason === "interrupted";
  const comparison =
    baseline === null || interrupted
      ? null
      : compareReports(baseline, report, { thresholds, force: flags.force === true });
  if (flags.out !== undefined) await write(flags.out, `${JSON.stringify(report, null, 1)}\n`);
  if (flags.html !== undefined)
    await write(
      flags.html,
      reportPage(report, baseline === null || comparison === null ? null : { report: baseline, comparison }),
    );
  if (flags.json === true)
    io.stdout.write(`${JSON.stringify(comparison === null ? report : { ...report, comparison })}\n`);
  else {
    io.stdout.write(summaryText(report));
    if (comparison !== null) io.stdout.write(`\n${comparisonText(comparison)}`);
  }
  if (interrupted) return EXIT.interrupted;
  if (report.totals.ok === 0) return EXIT.unavailable;
  return comparison?.regressed === true ? EXIT.negative : EXIT.ok;
}

async function readPlan(flags: RunFlags, io: BenchIo): Promise<{ plan: LoadPlan; keySource: string }> {
  const optional = (file: string | undefined, flag: string): Promise<string | null> =>
    file === undefined ? Promise.resolve(null) : read(file, flag);
  const { secrets, keySource } = readSecrets({
    keyFile: await optional(flags.keyFile, "--key-file"),
    stored: await storedKey(flags.url, io.env),
    caPem: await optional(flags.ca, "--ca"),
    env: io.env,
    headers: flags.header ?? [],
    auth: flags.auth,
  });
  const trace =
    flags.trace === undefined ? null : parseTrace(await read(flags.trace, "--trace"), basename(flags.trace));
  return {
    plan: planFromFlags(flags, { trace, secrets, salt: flags.salt ?? randomBytes(8).toString("hex") }),
    keySource,
  };
}

/** The key that `keys create --save` has stored here, for a target on this machine: to no other does it go unasked. */
async function storedKey(url: string, env: BenchIo["env"]): Promise<{ key: string; file: string } | null> {
  if (!URL.canParse(url) || !isLoopbackHost(new URL(url).hostname)) return null;
  const file = keyFilePath(env);
  const key = await readKeyFile(file, { isPrivate: true });
  return key === null ? null : { key, file };
}

/** Runs the test with its progress shown; the first Ctrl-C ends it early, the second at once. */
async function watchedRun(
  plan: LoadPlan,
  { flags, keySource }: { flags: RunFlags; keySource: string },
  io: BenchIo,
): Promise<LoadReport> {
  const quiet = flags.quiet === true;
  const { stderr } = io;
  const progress = new ProgressWriter({
    isTTY: stderr.isTTY === true,
    hasColors: wantsColors(stderr.isTTY === true, io.env),
    columns: () => stderr.columns ?? 80,
    write: (text) => void stderr.write(text),
  });
  if (!quiet) {
    const summary = summarisePlan(plan);
    progress.head([`${summary.url} (key: ${keySource})`, `${describeLoad(summary)}; ${describeRequests(summary)}`]);
  }
  const ending = new AbortController();
  const stopListening = io.onInterrupt(() => {
    if (ending.signal.aborted) io.exitNow(EXIT.interrupted);
    progress.note("Ending early. Press Ctrl-C again to stop at once, without a report.");
    ending.abort();
  });
  try {
    return await runLoadTest(plan, {
      signal: ending.signal,
      ...(quiet ? {} : { onProgress: (state) => progress.show(state) }),
    });
  } finally {
    stopListening();
    progress.finish();
  }
}

async function compareFiles(
  [before, after]: readonly [string, string],
  flags: CompareFlags,
  io: BenchIo,
): Promise<number> {
  const [baseline, candidate] = await Promise.all([readReport(before), readReport(after)]);
  const comparison: Comparison = compareReports(baseline, candidate, {
    thresholds: readThresholds(flags),
    force: flags.force === true,
  });
  if (flags.html !== undefined) await write(flags.html, reportPage(candidate, { report: baseline, comparison }));
  io.stdout.write(flags.json === true ? `${JSON.stringify(comparison)}\n` : comparisonText(comparison));
  return comparison.regressed ? EXIT.negative : EXIT.ok;
}

function readThresholds(flags: CompareFlags): Thresholds {
  return {
    p95Percent: parseNumber(flags.p95, "--p95", 0),
    throughputPercent: parseNumber(flags.throughput, "--throughput", 0),
    errorRatePoints: parseNumber(flags.errorRate, "--error-rate", 0),
  };
}

/** Runs a command's work and hands on its exit code. Rejects with CliError where the work throws LoadError. */
async function finish(io: BenchIo, work: () => Promise<number>): Promise<void> {
  try {
    io.setExitCode(await work());
  } catch (error) {
    if (!(error instanceof LoadError)) throw error;
    const { kind, message, fix } = error;
    throw new CliError(CODE_OF_KIND[kind], message, { remedy: fix, details: { reason: kind }, cause: error });
  }
}

async function readReport(file: string): Promise<LoadReport> {
  return parseLoadReport(await read(file, "report"), file);
}

async function read(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (error) {
    throw new LoadError(
      "usage",
      `${what}: ${file} cannot be read (${reason(error)})`,
      "Check the path and its permissions.",
    );
  }
}

async function write(file: string, text: string): Promise<void> {
  try {
    await writeFile(file, text);
  } catch (error) {
    throw new LoadError("usage", `${file} cannot be written (${reason(error)})`, "Choose another place.");
  }
}

async function checkWritable(file: string): Promise<void> {
  try {
    await access(dirname(file), constants.W_OK);
  } catch (error) {
    throw new LoadError(
      "usage",
      `${file} cannot be written (${reason(error)})`,
      "Make the folder, or choose another place.",
    );
  }
}

function reason(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : String(error);
}
