import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { onCpus } from "../cpu-plan.ts";
import type { Histogram } from "../measure/statistics.ts";

/** What to send: see the head of load.c for the meaning of the three kinds of traffic. */
export interface LoadPlan {
  readonly port: number;
  readonly path: string;
  readonly bodyFile: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly connections: number;
  readonly expectBytes: number;
  /** FNV-1a, 64 bits, in hex; left out where an answer holds timestamps. */
  readonly expectSum?: string | undefined;
  readonly traffic:
    | { readonly kind: "closed"; readonly seconds: number }
    | {
        readonly kind: "open";
        readonly seconds: number;
        readonly ratePerSecond: number;
        readonly warmUpSeconds: number;
      }
    | {
        readonly kind: "hold";
        readonly seconds: number;
        readonly staggerSeconds: number;
        readonly warmUpSeconds: number;
      };
}

/** Times in the histograms are nanoseconds. `seconds` reaches from the first request to the last answer. */
export interface LoadResult {
  readonly requests: number;
  readonly seconds: number;
  readonly windowSeconds: number;
  readonly events: number;
  readonly non200: number;
  readonly wrongBytes: number;
  readonly wrongSum: number;
  readonly errors: number;
  readonly unfinished: number;
  readonly resent: number;
  readonly late: number;
  readonly cpuSeconds: number;
  readonly firstFailure: string;
  readonly latency: Histogram;
  readonly firstByte: Histogram;
  readonly firstEvent: Histogram;
  readonly transit: Histogram;
}

export interface LoadMarks {
  /** Called when the measured window begins and when it ends. */
  readonly onStart?: () => void;
  readonly onEnd?: () => void;
}

/** Runs the compiled load.c once, pinned to `cpus`. Throws when it cannot run; wrong answers are in the result. */
export async function runLoad(
  tool: { binary: string; cpus: string },
  plan: LoadPlan,
  marks: LoadMarks = {},
): Promise<LoadResult> {
  const child = spawn(...onCpus(tool.cpus, tool.binary, loadArguments(plan)), {
    stdio: ["ignore", "pipe", "pipe"],
  });
  const ended = once(child, "close");
  let complaint = "";
  child.stderr.on("data", (chunk: Buffer) => (complaint += chunk.toString()));
  let result: LoadResult | undefined;
  for await (const line of createInterface({ input: child.stdout })) {
    const message = JSON.parse(line) as { mark: "start" | "end" } | LoadResult; // the lines that load.c prints
    if (!("mark" in message)) result = message;
    else if (message.mark === "start") marks.onStart?.();
    else marks.onEnd?.();
  }
  await ended;
  if (!result)
    throw new Error(`the load generator ended without a result: ${complaint.trim() || `exit code ${child.exitCode}`}`);
  return result;
}

/** What was wrong with the answers that came, in words, or null when each was right. */
export function describeWrongAnswers(result: LoadResult): string | null {
  const counts = [
    [result.non200, "not 200"],
    [result.wrongBytes, "of a wrong length"],
    [result.wrongSum, "with wrong bytes"],
    [result.errors, "cut off"],
  ] as const;
  const wrong = counts.filter(([count]) => count > 0).map(([count, what]) => `${count} ${what}`);
  if (wrong.length === 0) return result.requests + result.unfinished === 0 ? "no request was answered" : null;
  return `${wrong.join(", ")} of ${result.requests + result.errors} answers; the first: ${result.firstFailure}`;
}

function loadArguments(plan: LoadPlan): string[] {
  const { traffic } = plan;
  return [
    `--port=${plan.port}`,
    `--path=${plan.path}`,
    `--body=${plan.bodyFile}`,
    `--connections=${plan.connections}`,
    `--expect-bytes=${plan.expectBytes}`,
    ...(plan.expectSum === undefined ? [] : [`--expect-sum=${plan.expectSum}`]),
    ...Object.entries(plan.headers).map(([name, value]) => `--header=${name}: ${value}`),
    `--${traffic.kind}=${traffic.seconds}`,
    ...(traffic.kind === "closed" ? [] : [`--warm-up=${traffic.warmUpSeconds}`]),
    ...(traffic.kind === "open" ? [`--rate=${traffic.ratePerSecond}`] : []),
    ...(traffic.kind === "hold" ? [`--stagger=${traffic.staggerSeconds}`] : []),
  ];
}
