import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { CASES, type BenchCase, answerOf, askingOf } from "./cases.ts";
import { pinProcess, planCpus } from "./cpu-plan.ts";
import { Campaign } from "./campaign.ts";
import { describeMachine, isBusy } from "./machine.ts";
import { buildNativeTools } from "./native/build.ts";
import { startUpstream } from "./native/upstream.ts";
import { type BenchOptions, HELP, readOptions } from "./options.ts";
import { PEERS } from "./peers/all-peers.ts";
import type { Peer } from "./peers/peer.ts";
import type { PeerFacts, Report } from "./report/report.ts";
import { writeReport } from "./report/write-report.ts";
import { printReport } from "./report/terminal.ts";
import { requestBody } from "./request-body.ts";
import { RunningPeers } from "./running-peers.ts";

const OUT = join(import.meta.dirname, "out");

async function main(): Promise<number> {
  const options = readOptions(process.argv.slice(2));
  if (options === "help") {
    console.log(HELP);
    return 0;
  }
  if (process.platform !== "linux")
    throw new Error("The benchmark reads CPU time and memory from /proc and pins with taskset: it runs on Linux only.");
  const report = await measure(options);
  printReport(report);
  writeReport(report, options, OUT);
  for (const failure of report.failures)
    console.error(`FAILED  ${failure.peer}, ${failure.caseId}, round ${failure.round}: ${failure.reason}`);
  return report.failures.length === 0 ? 0 : 1;
}

async function measure(options: BenchOptions): Promise<Report> {
  const cpus = planCpus({ gateway: options.gatewayCpu, tools: options.toolsCpus });
  pinProcess(process.pid, cpus.tools);
  const tools = buildNativeTools(OUT);
  const { chosen, facts, skipped } = await choosePeers(options.only);
  const cases = CASES.filter((one) => options.cases.includes(one.id));
  const startedAt = new Date();
  const machine = describeMachine();
  if (isBusy(machine)) {
    console.error(
      `warning  This machine is busy (load average ${machine.loadBefore.toFixed(1)}): ratios will scatter, times are not to be trusted.`,
    );
  }
  const upstream = await startUpstream(tools.upstream, cpus.tools);
  const running = new RunningPeers(cpus, OUT);
  const interruption = new AbortController();
  const interrupt = (): void => interruption.abort(new Error("interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  try {
    const campaign = new Campaign({
      cases,
      peers: chosen,
      durations: options.durations,
      upstream,
      running,
      signal: interruption.signal,
      tool: { binary: tools.load, cpus: cpus.tools },
      bodies: writeBodies(cases, options),
    });
    await campaign.run();
    const { samples, failures, behind } = campaign;
    const seconds = Math.round((Date.now() - startedAt.getTime()) / 1000);
    return {
      startedAt,
      seconds,
      mode: options.mode,
      durations: options.durations,
      machine,
      cpus,
      cases,
      peers: facts,
      skipped,
      samples,
      failures,
      behind,
    };
  } finally {
    await running.stopAll();
    await upstream.stop();
  }
}

interface Choice {
  readonly chosen: readonly Peer[];
  readonly facts: readonly PeerFacts[];
  readonly skipped: Report["skipped"];
}

async function choosePeers(only: readonly string[] | null): Promise<Choice> {
  const chosen: Peer[] = [];
  const facts: PeerFacts[] = [];
  const skipped: { name: string; reason: string }[] = [];
  for (const peer of PEERS.filter((one) => only === null || only.includes(one.name))) {
    const reason = await peer.available();
    if (reason === null) {
      chosen.push(peer);
      facts.push({ name: peer.name, description: peer.description, version: await peer.version() });
    } else {
      skipped.push({ name: peer.name, reason });
      console.error(`skipped  ${peer.name}: ${reason}`);
    }
  }
  if (chosen.length === 0) throw new Error("There is no gateway to measure.");
  return { chosen, facts, skipped };
}

/** Writes the request of each case twice, once for an answer without pauses, and says where. */
function writeBodies(
  cases: readonly BenchCase[],
  options: BenchOptions,
): ReadonlyMap<string, { paced: string; unpaced: string }> {
  const directory = join(OUT, "bodies");
  mkdirSync(directory, { recursive: true });
  return new Map(
    cases.map((one) => {
      const answer = answerOf(one, options.durations);
      const asking = askingOf(one);
      const files = { paced: join(directory, `${one.id}.json`), unpaced: join(directory, `${one.id}.unpaced.json`) };
      writeFileSync(files.paced, requestBody(one.bodyBytes, answer, asking));
      writeFileSync(
        files.unpaced,
        requestBody(one.bodyBytes, answer.kind === "stream" ? { ...answer, paceMs: 0 } : answer, asking),
      );
      return [one.id, files];
    }),
  );
}

try {
  process.exitCode = await main();
} catch (cause) {
  console.error(cause instanceof Error ? cause.message : cause);
  process.exitCode = 1;
}
