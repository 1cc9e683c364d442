/**
 * Runs the tests: `npm test`. The last line is `Tests: N passed, N failed, N skipped`.
 *
 *   npm test -- src/ledger        only files whose path contains this; further arguments are vitest's
 *   npm run test:long             the slow ones (*.long.test.ts)
 *   npm run test:claude-code      with the real Claude Code
 *
 * With CI set, a test that was skipped because the machine lacks a program counts as failed: CI installs them all.
 */
import { spawn } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { readVitestReport, skippedLines, summaryLine, type TestSummary } from "./tests/vitest-report.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const VITEST = path.join(ROOT, "node_modules", "vitest", "vitest.mjs");
const CONFIGS: Readonly<Record<string, string>> = {
  "--long": "vitest.long.config.ts",
  "--claude-code": "vitest.claude-code.config.ts",
};

async function main(args: readonly string[]): Promise<number> {
  const suite = args.find((arg) => Object.hasOwn(CONFIGS, arg));
  const config = suite === undefined ? "vitest.config.ts" : (CONFIGS[suite] ?? "");
  const rest = args.filter((arg) => arg !== suite);
  const directory = await mkdtemp(path.join(tmpdir(), "weir-tests-"));
  try {
    const file = path.join(directory, "report.json");
    const code = await runVitest([
      "run",
      `--config=${config}`,
      "--reporter=default",
      "--reporter=json",
      `--outputFile.json=${file}`,
      ...rest,
    ]);
    const summary = await readSummary(file);
    return report(summary, code);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

function report(summary: TestSummary | null, vitestCode: number): number {
  if (summary === null) {
    console.log(`\nvitest ended with ${vitestCode} and left no report\nTests: 0 passed, 1 failed, 0 skipped`);
    return 1;
  }
  const lines = skippedLines(summary.skipped);
  if (lines.length > 0) console.log(`\n${lines.join("\n")}`);
  let { failed } = summary;
  // An error outside any test (an unhandled rejection) fails the run as well.
  if (vitestCode !== 0 && failed === 0) failed = 1;
  const lacking = summary.skipped.filter(({ needs }) => needs !== null).length;
  if (isCi() && lacking > 0) {
    console.log(`\nIn CI nothing may be missing: ${lacking} skipped tests count as failed.`);
    failed += lacking;
  }
  const skipped = isCi() ? summary.skipped.filter(({ needs }) => needs === null) : summary.skipped;
  console.log(`\n${summaryLine({ ...summary, failed, skipped })}`);
  return failed === 0 ? 0 : 1;
}

/** Resolves with vitest's exit code; it runs on the Node that runs this script. */
function runVitest(args: readonly string[]): Promise<number> {
  const child = spawn(process.execPath, [VITEST, ...args], { cwd: ROOT, stdio: "inherit" });
  // Ctrl-C reaches vitest from the terminal, and it ends in its own time.
  process.on("SIGINT", () => {});
  process.on("SIGTERM", () => child.kill("SIGTERM"));
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (code) => resolve(code ?? 1));
  });
}

async function readSummary(file: string): Promise<TestSummary | null> {
  let text: string;
  try {
    text = await readFile(file, "utf8");
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "ENOENT") return null;
    throw error;
  }
  return readVitestReport(JSON.parse(text), ROOT);
}

function isCi(): boolean {
  const { CI = "" } = process.env;
  return CI !== "" && CI !== "0" && CI !== "false";
}

process.exitCode = await main(process.argv.slice(2));
