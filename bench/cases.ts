import {
  BEDROCK_TO_MESSAGES,
  CHAT_TO_MESSAGES,
  type Format,
  MESSAGES_TO_BEDROCK,
  type Translation,
  modelFor,
  pathOf,
} from "./translation.ts";

/** What the upstream answers: a plain message, or a stream of `events` with `paceMs` between its text deltas (0 = at once). */
export type Answer =
  | { readonly kind: "json" }
  | { readonly kind: "stream"; readonly events: number; readonly paceMs: number };

interface CaseText {
  readonly id: string;
  readonly title: string;
  readonly bodyBytes: number;
}

/** As many requests as the gateway can take: CPU per request and capacity. */
export interface RequestCase extends CaseText {
  readonly kind: "requests";
  readonly answer: Answer;
  readonly connections: number;
  /** Set where the gateway has to translate; its yardstick is then the case without, in the same round. */
  readonly translated?: { readonly way: Translation; readonly passThrough: string };
}

/** Many live streams below saturation: CPU per event and how long an event travels. */
export interface PacedCase extends CaseText {
  readonly kind: "paced";
  readonly streams: number;
  readonly paceMs: number;
}

/** A fixed low rate: what the gateway adds to the time until the first token. */
export interface FirstTokenCase extends CaseText {
  readonly kind: "first-token";
  readonly answer: Answer;
  readonly ratePerSecond: number;
}

/** Many open streams on a gateway that has just started: memory above idle. */
export interface MemoryCase extends CaseText {
  readonly kind: "memory";
  readonly streams: number;
  readonly paceMs: number;
}

export type BenchCase = RequestCase | PacedCase | FirstTokenCase | MemoryCase;

const KB = 1000;
const FIFTY_EVENTS: Answer = { kind: "stream", events: 50, paceMs: 0 };

const PASS_THROUGH: readonly RequestCase[] = [
  {
    kind: "requests",
    id: "json-2k",
    title: "2 KB request, JSON answer",
    bodyBytes: 2 * KB,
    answer: { kind: "json" },
    connections: 32,
  },
  {
    kind: "requests",
    id: "json-100k",
    title: "100 KB request, JSON answer",
    bodyBytes: 100 * KB,
    answer: { kind: "json" },
    connections: 32,
  },
  {
    kind: "requests",
    id: "stream-2k",
    title: "2 KB request, 50 events",
    bodyBytes: 2 * KB,
    answer: FIFTY_EVENTS,
    connections: 32,
  },
  {
    kind: "requests",
    id: "stream-100k",
    title: "100 KB request, 50 events",
    bodyBytes: 100 * KB,
    answer: FIFTY_EVENTS,
    connections: 32,
  },
];

/** The ways that are measured, by what a case's id goes on with. A whole answer is the same in Messages and in Bedrock. */
const WAYS: readonly { readonly id: string; readonly way: Translation; readonly kinds: readonly Answer["kind"][] }[] = [
  { id: "to-bedrock", way: MESSAGES_TO_BEDROCK, kinds: ["json", "stream"] },
  { id: "from-chat", way: CHAT_TO_MESSAGES, kinds: ["json", "stream"] },
  { id: "from-bedrock", way: BEDROCK_TO_MESSAGES, kinds: ["stream"] },
];

/** In the order in which they take turns: each translated case right after the one that it is compared with. */
export const CASES: readonly BenchCase[] = [
  ...PASS_THROUGH.flatMap((one) => [one, ...translations(one)]),
  {
    kind: "paced",
    id: "paced",
    title: "200 streams, an event every 20 ms",
    bodyBytes: 2 * KB,
    streams: 200,
    paceMs: 20,
  },
  {
    kind: "first-token",
    id: "first-token",
    title: "100 requests/s of 100 KB",
    bodyBytes: 100 * KB,
    answer: { kind: "stream", events: 20, paceMs: 7 },
    ratePerSecond: 100,
  },
  { kind: "memory", id: "memory", title: "1,000 open streams", bodyBytes: 2 * KB, streams: 1000, paceMs: 250 },
];

function translations(one: RequestCase): RequestCase[] {
  return WAYS.filter(({ kinds }) => kinds.includes(one.answer.kind)).map(({ id, way }) => ({
    ...one,
    id: `${one.id}-${id}`,
    title: `${one.title}: ${way.title}`,
    translated: { way, passThrough: one.id },
  }));
}

/** The translation that a case asks for; null where client and upstream speak Messages. */
export function translationOf(one: BenchCase): Translation | null {
  return (one.kind === "requests" ? one.translated?.way : undefined) ?? null;
}

/** The id of the case that a translated one is compared with; null for all others. */
export function passThroughOf(caseId: string): string | null {
  const one = CASES.find(({ id }) => id === caseId);
  return (one?.kind === "requests" ? one.translated?.passThrough : undefined) ?? null;
}

/** What the client of a case sends, and where to. */
export interface Asking {
  readonly client: Format;
  readonly model: string;
  readonly path: string;
}

export function askingOf(one: BenchCase): Asking {
  const { client, upstream } = translationOf(one) ?? { client: "messages", upstream: "messages" };
  const model = modelFor(upstream);
  const stream = one.kind === "paced" || one.kind === "memory" || one.answer.kind === "stream";
  return { client, model, path: pathOf(client, model, stream) };
}

/** How long each part runs; the two modes differ in nothing else. */
export interface Durations {
  readonly rounds: number;
  readonly memoryRounds: number;
  readonly warmUpSeconds: number;
  readonly requestsSeconds: number;
  readonly pacedSeconds: number;
  readonly firstTokenSeconds: number;
  readonly memorySeconds: number;
}

export const QUICK: Durations = {
  rounds: 3,
  memoryRounds: 1,
  warmUpSeconds: 0.25,
  requestsSeconds: 1,
  pacedSeconds: 1.2,
  firstTokenSeconds: 2,
  memorySeconds: 2,
};

export const FULL: Durations = {
  rounds: 7,
  memoryRounds: 2,
  warmUpSeconds: 0.3,
  requestsSeconds: 2,
  pacedSeconds: 3,
  firstTokenSeconds: 5,
  memorySeconds: 5,
};

/** Over how long the streams of a case are opened, one after the other. */
export const STAGGER_SECONDS = { paced: 0.4, memory: 2 } as const;
/** How long traffic runs before its window is measured. */
export const STEADY_SECONDS = 0.3;
const SPARE_SECONDS = 0.4;

/** What the upstream is asked to answer; a stream that is to be measured while open lasts until its window has closed. */
export function answerOf(one: BenchCase, durations: Durations): Answer {
  if (one.kind === "requests" || one.kind === "first-token") return one.answer;
  const windowSeconds = one.kind === "paced" ? durations.pacedSeconds : durations.memorySeconds;
  const seconds = STAGGER_SECONDS[one.kind] + STEADY_SECONDS + windowSeconds + SPARE_SECONDS;
  return { kind: "stream", events: eventsLasting(seconds, one.paceMs), paceMs: one.paceMs };
}

/** About how long one measurement of a case takes, in seconds, for the progress line. */
export function estimateSeconds(one: BenchCase, durations: Durations): number {
  if (one.kind === "requests") return durations.warmUpSeconds + durations.requestsSeconds + 0.4;
  if (one.kind === "first-token") return STEADY_SECONDS + durations.firstTokenSeconds + 0.3;
  if (one.kind === "memory") return STAGGER_SECONDS.memory + durations.memorySeconds + 4;
  return STAGGER_SECONDS.paced + STEADY_SECONDS + durations.pacedSeconds + SPARE_SECONDS + 0.3;
}

/** Events of a paced stream that lasts `seconds`: three before the deltas and three after them, as upstream.c sends. */
export function eventsLasting(seconds: number, paceMs: number): number {
  return Math.ceil((seconds * 1000) / paceMs) + 7;
}
