import { type Answer, CASES, translationOf } from "../cases.ts";
import { type Spread } from "../measure/statistics.ts";
import { CHAT_TO_MESSAGES, MESSAGES_TO_BEDROCK, type Translation } from "../translation.ts";
import { type Summary, YARDSTICK, findCpu } from "./summary.ts";

/** Whose promises these are. */
export const SUBJECT = "weir";
const FACTOR_PEER = "portkey";

interface Target {
  readonly text: string;
  readonly unit: "×" | "ms" | "MB";
  readonly sense: "at most" | "at least" | "under";
  readonly limit: number;
  /** The figure and how far single rounds lie apart; null when the run did not measure it. */
  readonly measured: (summary: Summary) => Measured | null;
}

type Measured = Pick<Spread, "median"> & Partial<Spread>;

export interface Verdict extends Omit<Target, "measured"> {
  readonly figure: Measured | null;
  readonly result: "met" | "missed" | "not measured";
}

const toBare =
  (caseId: string) =>
  (summary: Summary): Measured | null =>
    findCpu(summary, SUBJECT, caseId)?.toBare ?? null;

/** How many times Weir's CPU the peer uses: the least of the given cases, so that the claim holds for all. */
const factorOfPeer =
  (caseIds: readonly string[]) =>
  (summary: Summary): Measured | null => {
    const factors = caseIds.flatMap((caseId) => {
      const [peer, own] = [findCpu(summary, FACTOR_PEER, caseId), findCpu(summary, SUBJECT, caseId)];
      return peer && own ? [peer.us.median / own.us.median] : [];
    });
    return factors.length === caseIds.length ? { median: Math.min(...factors) } : null;
  };

/** The greatest ratio of the cases that go this way, so that the promise holds for each; null unless all were measured. */
const greatestToPassThrough =
  (way: Translation, answers: Answer["kind"]) =>
  (summary: Summary): Measured | null => {
    const cases = CASES.filter((one) => one.kind === "requests" && one.answer.kind === answers);
    const ids = cases.filter((one) => translationOf(one) === way).map(({ id }) => id);
    const ratios = ids.flatMap((id) => findCpu(summary, SUBJECT, id)?.toPassThrough ?? []);
    if (ratios.length < ids.length) return null;
    return ratios.reduce((greatest, ratio) => (ratio.median > greatest.median ? ratio : greatest));
  };

const firstTokenOf = (summary: Summary, peer: string) => summary.firstToken.find((figure) => figure.peer === peer);

const firstTokenRatio =
  (of: "addedP50Ms" | "addedP99Ms") =>
  (summary: Summary): Measured | null => {
    const own = firstTokenOf(summary, SUBJECT)?.[of];
    const bare = firstTokenOf(summary, YARDSTICK)?.[of];
    return own && bare && bare.median > 0 ? { median: own.median / bare.median } : null;
  };

function translationTargets(who: string, way: Translation): Target[] {
  return (["stream", "json"] as const).map((answers) => ({
    text: `CPU of ${who}, ${answers === "stream" ? "50 events" : "JSON answer"}, against pass-through, the greater of 2 KB and 100 KB`,
    unit: "×",
    sense: "at most",
    limit: 1.6,
    measured: greatestToPassThrough(way, answers),
  }));
}

/** What Weir promises of its speed, as data. */
const TARGETS: readonly Target[] = [
  {
    text: "CPU per 2 KB request, JSON answer, against the bare proxy",
    unit: "×",
    sense: "at most",
    limit: 1.35,
    measured: toBare("json-2k"),
  },
  {
    text: "CPU per 2 KB request, 50 events, against the bare proxy",
    unit: "×",
    sense: "at most",
    limit: 1.35,
    measured: toBare("stream-2k"),
  },
  {
    text: "CPU per 100 KB request, 50 events, against the bare proxy",
    unit: "×",
    sense: "at most",
    limit: 1.1,
    measured: toBare("stream-100k"),
  },
  {
    text: "CPU per event of paced streams, against the bare proxy",
    unit: "×",
    sense: "at most",
    limit: 1.2,
    measured: toBare("paced"),
  },
  ...translationTargets("Messages clients on Bedrock", MESSAGES_TO_BEDROCK),
  ...translationTargets("Chat Completions clients on Messages", CHAT_TO_MESSAGES),
  {
    text: "Portkey's CPU per request against Weir's, the least of all cases",
    unit: "×",
    sense: "at least",
    limit: 5,
    measured: factorOfPeer(["json-2k", "json-100k", "stream-2k", "stream-100k"]),
  },
  {
    text: "Portkey's CPU per paced event against Weir's",
    unit: "×",
    sense: "at least",
    limit: 5,
    measured: factorOfPeer(["paced"]),
  },
  {
    text: "Added time to first token, p50",
    unit: "ms",
    sense: "under",
    limit: 1,
    measured: (summary) => firstTokenOf(summary, SUBJECT)?.addedP50Ms ?? null,
  },
  {
    text: "Added time to first token, p50, against the bare proxy",
    unit: "×",
    sense: "at most",
    limit: 1.5,
    measured: firstTokenRatio("addedP50Ms"),
  },
  {
    text: "Added time to first token, p99, against the bare proxy",
    unit: "×",
    sense: "at most",
    limit: 1.5,
    measured: firstTokenRatio("addedP99Ms"),
  },
  {
    text: "Memory above idle with 1,000 open streams",
    unit: "MB",
    sense: "under",
    limit: 150,
    measured: (summary) => summary.memory.find((figure) => figure.peer === SUBJECT)?.aboveIdleMb ?? null,
  },
];

export function judge(summary: Summary): Verdict[] {
  return TARGETS.map(({ measured, ...target }) => {
    const figure = measured(summary);
    return {
      ...target,
      figure,
      result: figure === null ? "not measured" : holds(target, figure.median) ? "met" : "missed",
    };
  });
}

function holds(target: Pick<Target, "sense" | "limit">, value: number): boolean {
  if (target.sense === "at least") return value >= target.limit;
  return target.sense === "at most" ? value <= target.limit : value < target.limit;
}
