import { spawn } from "node:child_process";
import path from "node:path";

import type { CheckStep } from "./steps.ts";

export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
  /** Everything the step wrote, stdout and stderr as they came. */
  readonly output: string;
}

/** Runs one step in `root` to its end. A program that cannot be started is a failed step. */
function runStep(step: CheckStep, root: string): Promise<StepResult> {
  const [program, ...args] = step.command;
  const beganMs = performance.now();
  const bin = path.join(root, "node_modules", ".bin");
  const child = spawn(program, args, {
    cwd: root,
    env: { ...process.env, PATH: `${bin}${path.delimiter}${process.env["PATH"] ?? ""}` },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (output += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (output += text));
  return new Promise((resolve) => {
    const end = (ok: boolean): void => {
      resolve({ name: step.name, ok, seconds: (performance.now() - beganMs) / 1000, output: output.trimEnd() });
    };
    child.once("error", (error) => {
      output += `cannot run ${program}: ${error.message}\n`;
      end(false);
    });
    child.once("close", (code) => end(code === 0));
  });
}

/** Runs steps, at most `width` at a time, and reports each as it ends. Results come in the order of the steps. */
export async function runSteps(
  steps: readonly CheckStep[],
  options: { root: string; width: number; ended: (result: StepResult) => void },
): Promise<StepResult[]> {
  const results: StepResult[] = [];
  const waiting = steps.entries();
  const worker = async (): Promise<void> => {
    for (const [index, step] of waiting) {
      const result = await runStep(step, options.root);
      results[index] = result;
      options.ended(result);
    }
  };
  await Promise.all(Array.from({ length: options.width }, worker));
  return results;
}
