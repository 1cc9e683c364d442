/**
 * Checks everything that a reviewer would: `npm run check`. Exit code 0 when all is well, 1 when a step failed, 2 for a wrong
 * command line. `npm run check -- types lint` runs these steps alone; `--json` prints one JSON document.
 */
import { availableParallelism } from "node:os";
import path from "node:path";

import { runSteps, type StepResult } from "./check/run-step.ts";
import { CHECK_STEPS } from "./check/steps.ts";

const ROOT = path.resolve(import.meta.dirname, "..");
const MAX_WIDTH = 2;

async function main(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(help());
    return 0;
  }
  const json = args.includes("--json");
  const names = args.filter((arg) => arg !== "--json");
  const unknown = names.find((name) => !CHECK_STEPS.some((step) => step.name === name));
  if (unknown !== undefined) {
    console.error(`check: there is no step "${unknown}"\n\n${help()}`);
    return 2;
  }
  const steps = names.length === 0 ? CHECK_STEPS : CHECK_STEPS.filter((step) => names.includes(step.name));
  const results = await runSteps(steps, {
    root: ROOT,
    width: Math.min(MAX_WIDTH, availableParallelism()),
    ended: (result) => {
      if (!json) console.log(line(result));
    },
  });
  report(results, json);
  return results.every(({ ok }) => ok) ? 0 : 1;
}

function report(results: readonly StepResult[], json: boolean): void {
  const failed = results.filter(({ ok }) => !ok);
  if (json) {
    const steps = results.map(({ output, ...rest }) => ({ ...rest, output: rest.ok ? "" : output }));
    console.log(JSON.stringify({ ok: failed.length === 0, steps }, null, 2));
    return;
  }
  for (const { name, output } of failed)
    console.log(`\n── ${name} ${"─".repeat(Math.max(2, 76 - name.length))}\n${output}`);
  const summary = failed.length === 0 ? "all is well" : `failed: ${failed.map(({ name }) => name).join(", ")}`;
  console.log(`\nCheck: ${results.length - failed.length} of ${results.length} steps passed; ${summary}`);
}

function line({ ok, name, seconds }: StepResult): string {
  return `${ok ? "✓" : "✗"} ${name.padEnd(10)} ${seconds.toFixed(1).padStart(6)} s`;
}

function help(): string {
  const steps = CHECK_STEPS.map(({ name, looksFor }) => `  ${name.padEnd(10)} ${looksFor}`);
  return ["Usage: npm run check -- [--json] [step…]", "", "Steps:", ...steps].join("\n");
}

process.exitCode = await main(process.argv.slice(2));
