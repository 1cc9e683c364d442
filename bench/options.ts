import { parseArgs } from "node:util";
import { CASES, type Durations, FULL, QUICK, passThroughOf } from "./cases.ts";
import { PEERS } from "./peers/all-peers.ts";

export interface BenchOptions {
  readonly mode: "quick" | "full";
  readonly durations: Durations;
  /** Names of peers, or null for all that are available. */
  readonly only: readonly string[] | null;
  readonly cases: readonly string[];
  readonly jsonFile: string | null;
  /** Whether docs/performance.md and .svg are written; else the report goes to bench/out/. */
  readonly writeDocs: boolean;
  readonly gatewayCpu: string | undefined;
  readonly toolsCpus: string | undefined;
}

export const HELP = `npm run bench -- [options]

Measures Weir side by side with a bare proxy, nginx and other gateways, all in one interleaved run on one core.

  --quick              about 4 minutes instead of about 16 (a third as long again with litellm and claude-gateway installed)
  --only a,b           only these gateways: ${PEERS.map((peer) => peer.name).join(", ")}
  --cases a,b          only these cases: ${CASES.map((one) => one.id).join(", ")}
  --rounds N           how often each case is measured on each gateway
  --json FILE          also write every sample there
  --docs, --no-docs    write docs/performance.md and docs/performance.svg, or do not (default: only a full, unfiltered run)
  --gateway-cpu N      the core for what is measured (default 0)
  --tools-cpus LIST    the cores for the load and the upstream (default: all others)

Examples
  npm run bench
  npm run bench -- --quick --only weir,bare --cases json-2k,paced
`;

/** Reads the command line. Returns "help" when that is asked for; throws with what is wrong and what is possible. */
export function readOptions(args: readonly string[]): BenchOptions | "help" {
  const { values } = parseArgs({
    args: [...args],
    allowNegative: true,
    options: {
      quick: { type: "boolean", default: false },
      only: { type: "string" },
      cases: { type: "string" },
      rounds: { type: "string" },
      json: { type: "string" },
      docs: { type: "boolean" },
      "gateway-cpu": { type: "string" },
      "tools-cpus": { type: "string" },
      help: { type: "boolean", short: "h" },
    },
  });
  if (values.help) return "help";
  const only =
    values.only === undefined
      ? null
      : pick(
          "--only",
          values.only,
          PEERS.map((peer) => peer.name),
        );
  const everyCase = CASES.map((one) => one.id);
  const cases = values.cases === undefined ? everyCase : withYardsticks(pick("--cases", values.cases, everyCase));
  const durations = values.quick ? QUICK : FULL;
  const rounds = values.rounds === undefined ? null : positive("--rounds", values.rounds);
  return {
    mode: values.quick ? "quick" : "full",
    durations:
      rounds === null ? durations : { ...durations, rounds, memoryRounds: Math.min(rounds, durations.memoryRounds) },
    only,
    cases,
    jsonFile: values.json ?? null,
    writeDocs: values.docs ?? (!values.quick && only === null && values.cases === undefined),
    gatewayCpu: values["gateway-cpu"],
    toolsCpus: values["tools-cpus"],
  };
}

function pick(option: string, value: string, allowed: readonly string[]): string[] {
  const names = value.split(",").map((name) => name.trim());
  const unknown = names.find((name) => !allowed.includes(name));
  if (unknown !== undefined) throw new Error(`${option}: "${unknown}" is not one of ${allowed.join(", ")}`);
  return allowed.filter((name) => names.includes(name));
}

/** A translated case is worth nothing without the one that it is compared with. */
function withYardsticks(cases: readonly string[]): string[] {
  const needed = new Set([...cases, ...cases.map(passThroughOf)]);
  return CASES.map((one) => one.id).filter((id) => needed.has(id));
}

function positive(option: string, value: string): number {
  const number = Number(value);
  if (!Number.isInteger(number) || number < 1) throw new Error(`${option}: "${value}" is not a whole number above 0`);
  return number;
}
