import { passThroughOf } from "../cases.ts";
import { type Histogram, type Spread, quantile, spreadOf } from "../measure/statistics.ts";
import {
  DIRECT,
  type FirstTokenSample,
  type MemorySample,
  type PacedSample,
  type RequestsSample,
  type Sample,
} from "../sample.ts";

/** The gateway that all others are compared with. */
export const YARDSTICK = "bare";
const LIMITED_BY_GATEWAY = 0.9;

/** CPU of one gateway in one case: microseconds per request, or per event where streams are paced. */
export interface CpuFigure {
  readonly peer: string;
  readonly caseId: string;
  readonly us: Spread;
  readonly databaseUs: number;
  /** Medians' ratio to the bare proxy, and the least and greatest ratio of a single round. */
  readonly toBare: Spread | null;
  /** The same to the gateway's own CPU where it need not translate; null for cases without translation. */
  readonly toPassThrough: Spread | null;
  /** Requests a second, or null where the load was fixed. */
  readonly perSecond: number | null;
  /** Whether the gateway was busy all the time, so that `perSecond` is what it can do and not what the load could. */
  readonly saturated: boolean;
}

/** Milliseconds, medians of the rounds. `added` is what lies above the same load straight to the upstream in the same round. */
export interface LatencyFigure {
  readonly peer: string;
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly addedP50Ms: Spread | null;
  readonly addedP99Ms: Spread | null;
  /** Whether the gateway was busy all the time: then its times say only that the load was too much for it. */
  readonly saturated: boolean;
}

/** Megabytes (10^6 bytes), proportional set size of all the gateway's processes without its database. */
interface MemoryFigure {
  readonly peer: string;
  readonly idleMb: Spread;
  readonly loadedMb: Spread;
  readonly aboveIdleMb: Spread;
  readonly loadedRssMb: number;
  readonly databaseMb: number;
}

export interface Summary {
  readonly cpu: readonly CpuFigure[];
  readonly firstToken: readonly LatencyFigure[];
  readonly transit: readonly LatencyFigure[];
  readonly memory: readonly MemoryFigure[];
}

export function summarise(samples: readonly Sample[]): Summary {
  const loads = samples.filter((one) => one.kind === "requests" || one.kind === "paced");
  const firstToken = samples.filter((one) => one.kind === "first-token");
  const paced = samples.filter((one) => one.kind === "paced");
  return {
    cpu: groups(
      loads.filter((one) => one.peer !== DIRECT),
      (one) => `${one.caseId} ${one.peer}`,
    ).map((group) => cpuFigure(group, loads)),
    firstToken: latencyFigures(firstToken, (one) => one.firstToken),
    transit: latencyFigures(paced, (one) => one.transit),
    memory: groups(
      samples.filter((one) => one.kind === "memory"),
      (one) => one.peer,
    ).map(memoryFigure),
  };
}

export function findCpu(summary: Summary, peer: string, caseId: string): CpuFigure | undefined {
  return summary.cpu.find((figure) => figure.peer === peer && figure.caseId === caseId);
}

type CpuSample = RequestsSample | PacedSample;

function cpuFigure(group: Group<CpuSample>, all: readonly CpuSample[]): CpuFigure {
  const [{ peer, caseId }] = group;
  const of = (name: string, id: string): CpuSample[] => all.filter((one) => one.peer === name && one.caseId === id);
  const passThrough = passThroughOf(caseId);
  const rates = group.flatMap((one) => (one.kind === "requests" ? [one.requestsPerSecond] : []));
  return {
    peer,
    caseId,
    us: spreadOf(group.map((one) => one.cpuUs)),
    databaseUs: spreadOf(group.map((one) => one.databaseCpuUs)).median,
    toBare: ratioSpread(group, of(YARDSTICK, caseId)),
    toPassThrough: passThrough === null ? null : ratioSpread(group, of(peer, passThrough)),
    perSecond: rates.length === 0 ? null : spreadOf(rates).median,
    saturated: isSaturated(group),
  };
}

/** The ratio of two medians, with the ratios of single rounds as its spread; null when a round is shared by none. */
export function ratioSpread(over: readonly CpuSample[], under: readonly CpuSample[]): Spread | null {
  const perRound = over.flatMap((one) => {
    const other = under.find((sample) => sample.round === one.round);
    return other ? [one.cpuUs / other.cpuUs] : [];
  });
  if (perRound.length === 0) return null;
  const median = spreadOf(over.map((one) => one.cpuUs)).median / spreadOf(under.map((one) => one.cpuUs)).median;
  return { ...spreadOf(perRound), median };
}

function latencyFigures<S extends FirstTokenSample | PacedSample>(
  samples: readonly S[],
  of: (sample: S) => Histogram,
): LatencyFigure[] {
  const direct = new Map(samples.filter((one) => one.peer === DIRECT).map((one) => [one.round, one]));
  return groups(samples, (one) => one.peer).map((group) => {
    const absolute = (share: number): number => spreadOf(group.map((one) => milliseconds(of(one), share))).median;
    const added = (share: number): Spread | null => {
      const perRound = group.flatMap((one) => {
        const base = direct.get(one.round);
        return base ? [milliseconds(of(one), share) - milliseconds(of(base), share)] : [];
      });
      return perRound.length === 0 || group[0].peer === DIRECT ? null : spreadOf(perRound);
    };
    return {
      peer: group[0].peer,
      p50Ms: absolute(0.5),
      p99Ms: absolute(0.99),
      addedP50Ms: added(0.5),
      addedP99Ms: added(0.99),
      saturated: isSaturated(group),
    };
  });
}

function isSaturated(group: Group<{ readonly utilisation: number }>): boolean {
  return spreadOf(group.map((one) => one.utilisation)).median > LIMITED_BY_GATEWAY;
}

function memoryFigure(group: Group<MemorySample>): MemoryFigure {
  const mb = (bytesOf: (sample: MemorySample) => number): Spread => spreadOf(group.map((one) => bytesOf(one) / 1e6));
  return {
    peer: group[0].peer,
    idleMb: mb((one) => one.idle.gateway.pss),
    loadedMb: mb((one) => one.loaded.gateway.pss),
    aboveIdleMb: mb((one) => one.loaded.gateway.pss - one.idle.gateway.pss),
    loadedRssMb: mb((one) => one.loaded.gateway.rss).median,
    databaseMb: mb((one) => one.loaded.database.pss).median,
  };
}

function milliseconds(histogram: Histogram, share: number): number {
  const ns = quantile(histogram, share);
  if (ns === undefined) throw new Error("a histogram without observations: no event was timed");
  return ns / 1e6;
}

type Group<T> = readonly [T, ...T[]];

/** Samples that belong together, in the order in which they first appeared. */
function groups<T>(samples: readonly T[], key: (sample: T) => string): Group<T>[] {
  return [...Map.groupBy(samples, key).values()].flatMap(([first, ...rest]) =>
    first === undefined ? [] : [[first, ...rest] as const],
  );
}
