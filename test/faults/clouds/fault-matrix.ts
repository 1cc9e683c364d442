import { CLOUDS, type RunningCloud } from "../../harness/clouds/clouds.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { backupOf, modelOf, primaryOf, runCell, type Cell, type CellAnswer } from "./fault-cell.ts";
import type { FaultCase } from "./fault-cases.ts";
import type { ClientFormat } from "./client-format.ts";
import { Fleet, PATIENT_MS, type Member } from "./fleet.ts";
import { settledRows } from "./settled-rows.ts";
import { verdictOf, type CellResult } from "./verdict.ts";

/** Cells that run at once. */
const LANES = 32;
/** Cells of one Weir: a configuration has at most so many parts. */
const CELLS_OF_A_WEIR = 400;
const ID_DIGITS = 4;

/** The older API of Azure OpenAI has no Responses in the version that the stand-in has. */
const OWN: Readonly<Record<string, Pick<Member, "more">>> = {
  "azure-openai-deployments": { more: { apis: ["chat_completions", "embeddings"] } },
};

/** How long an upstream may be silent where its fault is silence. */
const IMPATIENT_MS = 2_000;

function timeoutsOf({ fault: { silentIn }, isStream }: Cell): Readonly<Record<string, number>> {
  // What strikes within an answer that is not streamed may come before its head has passed.
  const isSilentHead = silentIn !== undefined && (silentIn !== "body" || !isStream);
  return {
    ttfb_ms: isSilentHead ? IMPATIENT_MS : PATIENT_MS,
    idle_ms: silentIn === "body" || silentIn === "both" ? IMPATIENT_MS : PATIENT_MS,
  };
}

/** Who asks whom. */
export interface Pairing {
  readonly client: ClientFormat;
  readonly kind: string;
}

/** Every fault for every pairing, streamed and not. The second target's kind changes with every cell, and is never the first's. */
export function cellsOf(pairings: readonly Pairing[], faults: readonly FaultCase[]): Cell[] {
  const cells: Cell[] = [];
  for (const { client, kind } of pairings) {
    for (const fault of faults) {
      for (const isStream of [true, false]) {
        const others = CLOUDS.filter((other) => other.kind !== kind);
        const backup = others[cells.length % others.length]?.kind ?? "";
        const id = String(cells.length).padStart(ID_DIGITS, "0");
        cells.push({ id, client, kind, backup, fault, isStream });
      }
    }
  }
  return cells;
}

/** One of so many cells: with a step that divides neither the faults nor the pairings, all of both are among them. */
export function sampleOf(cells: readonly Cell[], step: number): Cell[] {
  return cells.filter((_, index) => index % step === 0);
}

export interface MatrixRun {
  readonly results: readonly CellResult[];
  /** What any request broke of any cloud's protocol. */
  readonly problems: readonly string[];
}

/** Runs all cells. Each has an upstream and a model of its own, so that no cell's fault is another's. */
export async function runMatrix(cells: readonly Cell[]): Promise<MatrixRun> {
  const [fleet, twins] = await Promise.all([Fleet.start(), Fleet.start()]);
  try {
    const runs: CellRun[] = [];
    for (let at = 0; at < cells.length; at += CELLS_OF_A_WEIR) {
      runs.push(...(await runSome(cells.slice(at, at + CELLS_OF_A_WEIR), { fleet, twins })));
    }
    const charges = chargesByCell(fleet.clouds.values());
    const results = runs.map((run): CellResult => ({
      ...run,
      verdict: verdictOf(run.cell, run.answer),
      charges: charges.get(run.cell.id) ?? 0,
    }));
    return { results, problems: fleet.problems };
  } finally {
    await fleet.stop();
    await twins.stop();
  }
}

type CellRun = Pick<CellResult, "cell" | "answer" | "entries">;

interface Fleets {
  readonly fleet: Fleet;
  /** For measuring. */
  readonly twins: Fleet;
}

/** Some cells, against one Weir. */
async function runSome(cells: readonly Cell[], { fleet, twins }: Fleets): Promise<CellRun[]> {
  const weir = await weirFor(fleet, cells);
  try {
    const answers = new Map<Cell, CellAnswer>();
    const waiting = [...cells];
    const lane = async (): Promise<void> => {
      for (let cell = waiting.shift(); cell !== undefined; cell = waiting.shift()) {
        const proxy = fleet.proxy(cell.id);
        const [cloud, twin] = [fleet.cloud(cell.kind), twins.cloud(cell.kind)];
        answers.set(cell, await runCell(cell, { cloud, twin, proxy, weir }));
        await proxy.stop();
      }
    };
    const lanes = await Promise.allSettled(Array.from({ length: LANES }, lane));
    for (const end of lanes) if (end.status === "rejected") throw end.reason;
    const entries = await settledRows(weir, cells.length);
    return cells.map((cell) => ({
      cell,
      answer: given(answers.get(cell)),
      entries: entries.filter(({ sessionId }) => sessionId === cell.id),
    }));
  } finally {
    await weir.dispose();
  }
}

async function weirFor(fleet: Fleet, cells: readonly Cell[]): Promise<WeirProcess> {
  const firsts: Member[] = [];
  for (const cell of cells) {
    firsts.push({
      name: primaryOf(cell),
      kind: cell.kind,
      proxy: await fleet.proxyTo(cell.kind, cell.id),
      more: { ...OWN[cell.kind]?.more, timeouts: timeoutsOf(cell) },
    });
  }
  const backups = CLOUDS.map(({ kind }): Member => ({ name: backupOf(kind), kind, proxy: null, ...OWN[kind] }));
  return await fleet.weir({
    members: [...firsts, ...backups],
    models: cells.map((cell) => ({ id: modelOf(cell), members: [primaryOf(cell), backupOf(cell.backup)] })),
    // A probe would be the first exchange of a connection whose bytes are counted.
    config: { health: { probes: { enabled: false } } },
  });
}

/** Inferences that began at any provider, by the cell that their prompt names. */
function chargesByCell(clouds: Iterable<RunningCloud>): ReadonlyMap<string, number> {
  const counts = new Map<string, number>();
  for (const { server } of clouds) {
    for (const { request } of server.charges) {
      const id = /cell (\d+) /.exec(server.requests[request]?.body.toString("utf8") ?? "")?.[1];
      if (id !== undefined) counts.set(id, (counts.get(id) ?? 0) + 1);
    }
  }
  return counts;
}

function given<T>(value: T | undefined): T {
  if (value === undefined) throw new Error("a cell has not run");
  return value;
}
