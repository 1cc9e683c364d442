import {
  type BenchCase,
  type Durations,
  type FirstTokenCase,
  type MemoryCase,
  type PacedCase,
  type RequestCase,
  STAGGER_SECONDS,
  STEADY_SECONDS,
} from "../cases.ts";
import { type LoadMarks, type LoadPlan, type LoadResult, describeWrongAnswers, runLoad } from "../native/load.ts";
import type { Upstream } from "../native/upstream.ts";
import { type ExpectedAnswer, askOnce } from "../preflight.ts";
import {
  FellBehind,
  type FirstTokenSample,
  type MemorySample,
  type PacedSample,
  type RequestsSample,
  type Sample,
} from "../sample.ts";
import { type CpuSubject, type CpuTime, readCpuTime, readCpuTimeWhenIdle } from "./cpu-time.ts";
import { type MemoryOfGroups, readMemory } from "./memory.ts";

/** Everything that one measurement of one case on one gateway needs. */
export interface Slice<C extends BenchCase = BenchCase> {
  readonly peer: string;
  readonly case: C;
  readonly round: number;
  /** Null for the upstream itself, whose CPU is of no interest. */
  readonly subject: CpuSubject | null;
  readonly port: number;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly bodyFile: string;
  /** The same request for an answer that does not wait between events. */
  readonly unpacedBodyFile: string;
  readonly expected: ExpectedAnswer;
  readonly durations: Durations;
  readonly tool: { readonly binary: string; readonly cpus: string };
  readonly upstream: Upstream;
}

const FIRST_TOKEN_CONNECTIONS = 256;
const MEMORY_FIRST_REQUESTS = 8;
const MEMORY_POLL_MS = 250;

/** Measures one slice. Throws when an answer was wrong, with what was wrong about it. */
export async function measureSlice(slice: Slice): Promise<Sample> {
  const before = await slice.upstream.stats();
  let sent = 0;
  if (slice.case.kind === "memory") {
    for (; sent < MEMORY_FIRST_REQUESTS; sent++) await askOnce({ ...slice, bodyFile: slice.unpacedBodyFile });
  }
  const load: RunChecked = async (traffic, marks, connections) => {
    const result = await runLoad(slice.tool, loadPlan(slice, traffic, connections), marks);
    const wrong = describeWrongAnswers(result);
    if (wrong !== null) throw new Error(wrong);
    if (result.unfinished > 0)
      throw new FellBehind(`${result.unfinished} answers were not complete 20 s after the load ended`);
    sent += result.requests;
    return result;
  };
  const sample = await measureKind(slice, load);
  const served = (await slice.upstream.stats()).requests - before.requests;
  if (served !== sent)
    throw new Error(`${sent} requests were sent through the gateway, but ${served} reached the upstream`);
  return sample;
}

type RunChecked = (traffic: LoadPlan["traffic"], marks: LoadMarks, connections: number) => Promise<LoadResult>;

function measureKind(slice: Slice, load: RunChecked): Promise<Sample> {
  const { case: one } = slice;
  if (one.kind === "requests") return measureRequests({ ...slice, case: one }, load);
  if (one.kind === "paced") return measurePaced({ ...slice, case: one }, load);
  if (one.kind === "first-token") return measureFirstToken({ ...slice, case: one }, load);
  return measureMemory({ ...slice, case: one }, load);
}

async function measureRequests(slice: Slice<RequestCase>, load: RunChecked): Promise<RequestsSample> {
  const subject = subjectOf(slice);
  const { connections } = slice.case;
  await load({ kind: "closed", seconds: slice.durations.warmUpSeconds }, {}, connections);
  const before = await readCpuTimeWhenIdle(subject);
  const result = await load({ kind: "closed", seconds: slice.durations.requestsSeconds }, {}, connections);
  const used = difference(before, await readCpuTimeWhenIdle(subject));
  return {
    ...origin(slice),
    kind: "requests",
    requests: result.requests,
    requestsPerSecond: result.requests / result.seconds,
    cpuUs: used.gatewayNs / 1e3 / result.requests,
    databaseCpuUs: used.databaseNs / 1e3 / result.requests,
    utilisation: used.gatewayNs / 1e9 / result.seconds,
  };
}

async function measurePaced(slice: Slice<PacedCase>, load: RunChecked): Promise<PacedSample> {
  const window = new CpuWindow(slice.subject);
  const seconds = slice.durations.pacedSeconds;
  const traffic = {
    kind: "hold",
    seconds,
    staggerSeconds: STAGGER_SECONDS.paced,
    warmUpSeconds: STEADY_SECONDS,
  } as const;
  const result = await load(traffic, window, slice.case.streams);
  const used = window.used();
  return {
    ...origin(slice),
    kind: "paced",
    events: result.events,
    cpuUs: used.gatewayNs / 1e3 / result.events,
    databaseCpuUs: used.databaseNs / 1e3 / result.events,
    utilisation: used.gatewayNs / 1e9 / seconds,
    transit: result.transit,
  };
}

async function measureFirstToken(slice: Slice<FirstTokenCase>, load: RunChecked): Promise<FirstTokenSample> {
  const window = new CpuWindow(slice.subject);
  const seconds = slice.durations.firstTokenSeconds;
  const { ratePerSecond } = slice.case;
  const traffic = { kind: "open", seconds, ratePerSecond, warmUpSeconds: STEADY_SECONDS } as const;
  const result = await load(traffic, window, FIRST_TOKEN_CONNECTIONS);
  if (result.late > 0)
    throw new FellBehind(`${result.late} requests found none of ${FIRST_TOKEN_CONNECTIONS} connections free`);
  return {
    ...origin(slice),
    kind: "first-token",
    firstToken: result.firstEvent,
    utilisation: window.used().gatewayNs / 1e9 / seconds,
  };
}

/** Expects a gateway that has just started and answered a few requests, so that its code is loaded before "idle". */
async function measureMemory(slice: Slice<MemoryCase>, load: RunChecked): Promise<MemorySample> {
  const subject = subjectOf(slice);
  await readCpuTimeWhenIdle(subject);
  const idle = readMemory(subject);
  const readings: MemoryOfGroups[] = [];
  let timer: NodeJS.Timeout | undefined;
  const marks = {
    onStart: () => {
      timer = setInterval(() => readings.push(readMemory(subject)), MEMORY_POLL_MS);
    },
    onEnd: () => clearInterval(timer),
  };
  const seconds = slice.durations.memorySeconds;
  try {
    await load(
      { kind: "hold", seconds, staggerSeconds: STAGGER_SECONDS.memory, warmUpSeconds: 0 },
      marks,
      slice.case.streams,
    );
  } finally {
    clearInterval(timer);
  }
  const loaded = readings.reduce((most, reading) => (reading.gateway.pss > most.gateway.pss ? reading : most));
  return { ...origin(slice), kind: "memory", idle, loaded };
}

/** CPU time between the two marks of a load. */
class CpuWindow implements LoadMarks {
  readonly #subject: CpuSubject | null;
  #before: CpuTime | null = null;
  #after: CpuTime | null = null;

  constructor(subject: CpuSubject | null) {
    this.#subject = subject;
  }

  readonly onStart = (): void => {
    if (this.#subject) this.#before = readCpuTime(this.#subject);
  };

  readonly onEnd = (): void => {
    if (this.#subject) this.#after = readCpuTime(this.#subject);
  };

  used(): CpuTime {
    return this.#before && this.#after ? difference(this.#before, this.#after) : { gatewayNs: 0, databaseNs: 0 };
  }
}

function difference(before: CpuTime, after: CpuTime): CpuTime {
  return { gatewayNs: after.gatewayNs - before.gatewayNs, databaseNs: after.databaseNs - before.databaseNs };
}

function subjectOf(slice: Slice): CpuSubject {
  if (!slice.subject) throw new Error(`${slice.case.id} measures a process, and ${slice.peer} has none`);
  return slice.subject;
}

function origin(slice: Slice): { peer: string; caseId: string; round: number } {
  return { peer: slice.peer, caseId: slice.case.id, round: slice.round };
}

function loadPlan(slice: Slice, traffic: LoadPlan["traffic"], connections: number): LoadPlan {
  const { port, path, bodyFile, headers, expected } = slice;
  return { port, path, bodyFile, headers, connections, expectBytes: expected.bytes, expectSum: expected.sum, traffic };
}
