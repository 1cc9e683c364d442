import type { CloudFault } from "../../harness/clouds/cloud-fault.ts";
import type { FaultProxy, ProxyFaults } from "../../harness/clouds/fault-proxy.ts";
import { STEADY, type AnswerLayout } from "./answer-layout.ts";

/**
 * What a client is promised under a fault of the first of two targets.
 *
 * - `here`: the fault harms nothing, and the first target's answer comes whole.
 * - `elsewhere`: nothing of an answer has been relayed, so the second target's comes, whole.
 * - `early`: it strikes between the first and the second event of the provider's wire, of which not every format makes an
 *   event for the client: elsewhere where nothing had been relayed, else a true end.
 * - `broken`: an event has been relayed: a true error or cut.
 * - `verbatim`: the provider refuses the request itself, and no other target is asked.
 * - `spoilt`: bytes are altered on their way. What is noticed depends on the format.
 */
export type Promised = "here" | "elsewhere" | "early" | "broken" | "verbatim" | "spoilt";

/** What a fault works on: the way to the first target, and what goes wrong there for the one request of its cell. */
export interface FaultSite {
  readonly proxy: FaultProxy;
  /** Measures how the answer to this very request will lie on the wire. */
  layout(): Promise<AnswerLayout>;
  /** Resolves when the request has reached the stand-in. Only for faults that `plan` something. */
  readonly arrived: Promise<void>;
  /** Resolves when `strike` has been called. */
  readonly struck: Promise<void>;
  plan(fault: CloudFault): void;
}

export interface FaultCase {
  readonly name: string;
  /** Whose fault it is: the network's (fault proxy) or the provider's (stand-in). */
  readonly family: "network" | "provider";
  /** For a streamed answer. One that is not streamed is relayed only once it is whole. */
  readonly promised: Promised;
  /** Where Weir must lose its patience: before the answer's head is there, or within its body. Absent: nowhere. */
  readonly silentIn?: "head" | "body" | "both";
  prepare(site: FaultSite): void | Promise<void>;
  /** What happens once the request has arrived, or once the answer has begun. */
  readonly strike?: { readonly when: "arrived" | "begun"; readonly now: (site: FaultSite) => void };
}

/** What is promised for an answer that is not streamed. */
export function promisedWhole({ promised, name }: FaultCase): Promised {
  // Of a stream, only the end of its framing is lost with the last byte; of a document, its last brace.
  if (name.startsWith("cut at the last byte")) return "elsewhere";
  return promised === "broken" || promised === "early" ? "elsewhere" : promised;
}

const NEVER = new Promise<void>(() => {});
/** Events before what strikes in the middle. */
const MIDDLE = 4;

const STATUSES = [429, 500, 502, 503, 504, 529, 401, 403, 404, 501] as const;

type Silence = Pick<FaultCase, "silentIn">;

function network(name: string, promised: Promised, faults: ProxyFaults, silence: Silence = {}): FaultCase {
  return { name, family: "network", promised, ...silence, prepare: ({ proxy }) => void proxy.set(faults) };
}

function provider(name: string, promised: Promised, fault: CloudFault, silence: Silence = {}): FaultCase {
  return { name, family: "provider", promised, ...silence, prepare: (site) => site.plan(fault) };
}

/** Strikes while the answer stands still in its middle. */
function midway(name: string, now: (site: FaultSite) => void): FaultCase {
  return {
    name,
    family: "network",
    promised: "broken",
    silentIn: "body",
    prepare: (site) => site.plan({ kind: "silence", afterEvents: MIDDLE, resumes: site.struck }),
    strike: { when: "begun", now },
  };
}

function cuts(name: string, promised: Promised, at: (layout: AnswerLayout) => number): FaultCase[] {
  return [false, true].map((rst) => ({
    name: `cut ${name}, ${rst ? "reset" : "closed"}`,
    family: "network",
    promised,
    prepare: async (site) => {
      site.plan(STEADY);
      site.proxy.set({ cutAfter: at(await site.layout()), rst });
    },
  }));
}

const NETWORK: readonly FaultCase[] = [
  network("latency", "here", { latencyMs: 120 }),
  network("jitter", "here", { latencyMs: 10, jitterMs: 100 }),
  network("rate", "here", { rate: 60_000 }),
  network("slices of one byte", "here", { slice: 1 }),
  ...cuts("within the head", "elsewhere", () => 20),
  ...cuts("within the first event", "elsewhere", ({ headBytes, firstEventEnd }) => (headBytes + firstEventEnd) >> 1),
  ...cuts("in the middle", "broken", ({ headBytes, totalBytes }) => (headBytes + totalBytes) >> 1),
  ...cuts("at the last byte", "here", ({ totalBytes }) => totalBytes - 1),
  network("refuse", "elsewhere", { refuse: true }),
  network("hang", "elsewhere", { hang: true }, { silentIn: "head" }),
  network("blackhole", "elsewhere", { blackhole: true }, { silentIn: "head" }),
  midway("hang in the middle", ({ proxy }) => void proxy.set({ hang: true })),
  midway("blackhole in the middle", ({ proxy }) => void proxy.set({ blackhole: true })),
  midway("killall in the middle", ({ proxy }) => proxy.killAll()),
  {
    name: "killall before the answer",
    family: "network",
    promised: "elsewhere",
    prepare: (site) => site.plan({ kind: "late", by: site.struck }),
    strike: { when: "arrived", now: ({ proxy }) => proxy.killAll() },
  },
  // The proxy of each cell draws other places to spoil; a spoilt head may leave the rest for ever to come.
  ...[1, 2, 3, 4].map((draw) => network(`corrupt, draw ${draw}`, "spoilt", { corrupt: 1 }, { silentIn: "both" })),
];

const PROVIDER: readonly FaultCase[] = [
  ...STATUSES.map((status) => provider(`status ${status}`, "elsewhere", { kind: "status", status })),
  provider("status 429 with retry-after", "elsewhere", {
    kind: "status",
    status: 429,
    headers: { "retry-after": "30" },
  }),
  provider("status 503 as a proxy's page", "elsewhere", { kind: "status", status: 503, body: "<h1>503</h1>" }),
  provider("status 400", "verbatim", { kind: "status", status: 400, message: "this request is wrong" }),
  provider("redirect", "elsewhere", { kind: "redirect", location: "http://127.0.0.1:1/elsewhere" }),
  provider("late", "here", { kind: "late", by: 150 }),
  provider("late for ever", "elsewhere", { kind: "late", by: NEVER }, { silentIn: "head" }),
  provider("silent", "elsewhere", { kind: "silent" }, { silentIn: "head" }),
  provider("reset", "elsewhere", { kind: "reset" }),
  provider("silence after the head", "elsewhere", { kind: "silence", afterEvents: 0 }, { silentIn: "body" }),
  provider("silence in the middle", "broken", { kind: "silence", afterEvents: MIDDLE }, { silentIn: "body" }),
  provider("silence in the middle that ends", "here", { kind: "silence", afterEvents: MIDDLE, resumes: 150 }),
  provider("error as the first event", "elsewhere", { kind: "error_event", afterEvents: 0 }),
  provider("error as the second event", "early", { kind: "error_event", afterEvents: 1 }),
  provider("error in the middle", "broken", { kind: "error_event", afterEvents: MIDDLE }),
  ...(["fin", "rst", "clean"] as const).flatMap((how) => [
    provider(`cut after the head, ${how}`, "elsewhere", { kind: "cut", afterEvents: 0, how }),
    provider(`cut after the first event, ${how}`, "early", { kind: "cut", afterEvents: 1, how }),
    provider(`cut in the middle, ${how}`, "broken", { kind: "cut", afterEvents: MIDDLE, how }),
  ]),
  provider("damage of the first event", "spoilt", { kind: "damage", atEvent: 0 }),
  provider("damage in the middle", "spoilt", { kind: "damage", atEvent: MIDDLE }),
  provider("slices of one byte, by the provider", "here", { kind: "slice", bytes: 1 }),
];

/** Every fault of the fault proxy and every one that a stand-in can be told. */
export const FAULT_CASES: readonly FaultCase[] = [...NETWORK, ...PROVIDER];
