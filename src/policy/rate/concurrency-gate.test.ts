import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ConcurrencyGate, type ConcurrencyClaim, type EnterResult } from "./concurrency-gate.ts";

const QUEUE = 100;

function lane(id: string, max: number | null): ConcurrencyClaim {
  return { id, max };
}

/** A gate and a log of whom it let in, by name. */
function setUp(): {
  gate: ConcurrencyGate;
  running: string[];
  enter: (name: string, claims: readonly ConcurrencyClaim[], queue?: number) => EnterResult;
} {
  const gate = new ConcurrencyGate();
  const running: string[] = [];
  const enter = (name: string, claims: readonly ConcurrencyClaim[], queue = QUEUE): EnterResult => {
    const result = gate.enter(claims, queue, () => running.push(name));
    if (result.kind === "running") running.push(name);
    return result;
  };
  return { gate, running, enter };
}

describe("ConcurrencyGate", () => {
  const one = [lane("key", 1)];

  it("lets in as many as may run, then those who wait, first come first served", () => {
    const { gate, running, enter } = setUp();
    expect(["a", "b", "c"].map((name) => enter(name, one).kind)).toEqual(["running", "waiting", "waiting"]);

    gate.leave(one);
    expect(running).toEqual(["a", "b"]);
    gate.leave(one);
    expect(running).toEqual(["a", "b", "c"]);
  });

  it("refuses when the queue of the subject without room is full, and names that subject", () => {
    const { gate, enter } = setUp();
    const claims = [lane("key", 5), lane("team", 1)];
    enter("a", claims);
    enter("b", claims, 1);

    expect(enter("c", claims, 1)).toEqual({ kind: "full", id: "team" });
    expect(gate.queued).toBe(1);
    expect(gate.active("key")).toBe(1);

    enter("d", [lane("another key", 1), lane("team", 1)], 1);
    expect(gate.subjects).toBe(2);
  });

  it("refuses at once with a queue of nothing", () => {
    const { enter } = setUp();
    enter("a", one, 0);

    expect(enter("b", one, 0).kind).toBe("full");
  });

  it("does not count subjects without a limit", () => {
    const { gate, enter } = setUp();
    const claims = [lane("key", null), lane("organization", null)];
    for (let i = 0; i < 1_000; i++) expect(enter("x", claims).kind).toBe("running");

    expect(gate.active("key")).toBe(0);
    gate.leave(claims);
  });

  it("passes over those who have left the queue", () => {
    const { gate, running, enter } = setUp();
    enter("a", one);
    const left = enter("b", one);
    enter("c", one);
    if (left.kind === "waiting") left.cancel();
    expect(gate.queued).toBe(1);

    gate.leave(one);
    expect(running).toEqual(["a", "c"]);
  });

  it("takes a cancel that comes too late, or twice, for nothing", () => {
    const { gate, running, enter } = setUp();
    enter("a", one);
    const second = enter("b", one);
    gate.leave(one);
    if (second.kind === "waiting") second.cancel();
    if (second.kind === "waiting") second.cancel();

    expect(running).toEqual(["a", "b"]);
    expect(gate.active("key")).toBe(1);
    expect(gate.queued).toBe(0);
  });

  it("holds no place while it waits for another subject's", () => {
    const { gate, enter } = setUp();
    enter("a", [lane("team", 1)]);
    enter("b", [lane("key", 1), lane("team", 1)]);

    expect(gate.active("key")).toBe(0);
    expect(enter("c", [lane("key", 1)]).kind).toBe("running");
  });

  it("gives a team's free place to who waited longest in the team, not to the next of the key that left", () => {
    const { gate, running, enter } = setUp();
    const [first, second] = [
      [lane("key 1", 1), lane("team", 1)],
      [lane("key 2", 1), lane("team", 1)],
    ];
    enter("a1", first);
    enter("a2", second);
    enter("b1", first);
    gate.leave(first);
    expect(running).toEqual(["a1", "a2"]);

    gate.leave(second);
    expect(running).toEqual(["a1", "a2", "b1"]);
  });

  it("counts a subject's requests that wait elsewhere, also when its last running one has left meanwhile", () => {
    const { gate, running, enter } = setUp();
    const both = [lane("key", 1), lane("team", 1)];
    enter("other", [lane("team", 1)]);
    enter("waits for the team", both);
    enter("runs", [lane("key", 1)]);
    gate.leave([lane("key", 1)]);
    gate.leave([lane("team", 1)]);
    expect(running).toEqual(["other", "runs", "waits for the team"]);

    expect(gate.active("key")).toBe(1);
    expect(enter("too many", [lane("key", 1)]).kind).toBe("waiting");
  });

  it("lets the waiting ones in when their limit has been raised", () => {
    const { running, enter } = setUp();
    enter("a", one);
    enter("b", one);
    enter("c", one);
    enter("d", [lane("key", 3)]);

    expect(running).toEqual(["a", "b", "c"]);
  });

  it("lets nobody in before enough have left when a limit has been lowered", () => {
    const { gate, running, enter } = setUp();
    const three = [lane("key", 3)];
    for (const name of ["a", "b", "c"]) enter(name, three);
    enter("d", one);
    gate.leave(three);
    gate.leave(three);
    expect(running).toEqual(["a", "b", "c"]);

    gate.leave(three);
    expect(running).toEqual(["a", "b", "c", "d"]);
  });
});

/** A request of the model below. */
interface Request {
  readonly claims: readonly ConcurrencyClaim[];
  state: "running" | "waiting" | "done";
}

/** The gate's meaning in the plainest words: whenever a place falls free, look at all who wait, in the order they came. */
class PlainGate {
  readonly requests: Request[] = [];

  active(id: string): number {
    return this.requests.filter(({ state, claims }) => state === "running" && claims.some((claim) => claim.id === id))
      .length;
  }

  fits({ claims }: Request): boolean {
    return claims.every(({ id, max }) => max === null || this.active(id) < max);
  }

  admitThoseWhoFit(): void {
    for (const request of this.requests) {
      if (request.state === "waiting" && this.fits(request)) request.state = "running";
    }
  }
}

const LIMITS: Readonly<Record<string, number | null>> = { org: 4, a: 2, b: null, a1: 1, a2: 3, b1: 2, b2: 1 };
/** Paths of a tree, and two that cross it: an order of subjects that no directory makes, but the gate should bear. */
const PATHS = [["a1", "a", "org"], ["a2", "a", "org"], ["b1", "b", "org"], ["b2", "b", "org"], ["a"], ["b1", "a2"]].map(
  (ids) => ids.map((id) => lane(id, LIMITS[id] ?? null)),
);
const IDS = Object.keys(LIMITS);

const action = fc.oneof(
  { weight: 5, arbitrary: fc.record({ do: fc.constant("enter" as const), pick: fc.nat(PATHS.length - 1) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("leave" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), pick: fc.nat() }) },
);

/** The gate beside the plain one, doing the same. */
class Pair {
  readonly gate = new ConcurrencyGate();
  readonly plain = new PlainGate();
  readonly #cancels = new Map<Request, () => void>();
  readonly admitted = new Set<Request>();

  enter(claims: readonly ConcurrencyClaim[]): void {
    const request: Request = { claims, state: "waiting" };
    const result = this.gate.enter(claims, Infinity, () => this.#admit(request));
    if (result.kind === "running") this.#admit(request);
    if (result.kind === "waiting") this.#cancels.set(request, result.cancel);
    this.plain.requests.push(request);
    if (this.plain.fits(request)) request.state = "running";
  }

  /** Ends one of those that run; false when none does. */
  leave(pick: number): boolean {
    const request = this.#pick("running", pick);
    if (request === undefined) return false;
    request.state = "done";
    this.plain.admitThoseWhoFit();
    this.gate.leave(request.claims);
    return true;
  }

  cancel(pick: number): void {
    const request = this.#pick("waiting", pick);
    if (request === undefined) return;
    request.state = "done";
    this.#cancels.get(request)?.();
  }

  compare(): void {
    const { requests } = this.plain;
    const shouldRun = requests.filter(({ state }) => state === "running");
    const runs = shouldRun.filter((request) => this.admitted.has(request));
    expect(runs).toHaveLength(shouldRun.length);
    for (const id of IDS)
      expect([id, this.gate.active(id)]).toEqual([id, LIMITS[id] === null ? 0 : this.plain.active(id)]);
    expect(this.gate.queued).toBe(requests.filter(({ state }) => state === "waiting").length);
    const waiting = requests.filter((request) => request.state === "waiting" && this.admitted.has(request));
    expect(waiting).toEqual([]);
  }

  #admit(request: Request): void {
    expect(this.admitted.has(request)).toBe(false);
    this.admitted.add(request);
  }

  #pick(state: Request["state"], pick: number): Request | undefined {
    const found = this.plain.requests.filter((request) => request.state === state);
    return found[pick % found.length];
  }
}

describe("over any order of coming, going and giving up", () => {
  it("exactly those run who should: never above a limit, first come first served, nobody forgotten", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), (actions) => {
        const pair = new Pair();
        for (const { do: what, pick } of actions) {
          if (what === "enter") pair.enter(PATHS[pick]!);
          else if (what === "leave") pair.leave(pick);
          else pair.cancel(pick);
          pair.compare();
        }
        // In the end everybody who has not given up has run.
        while (pair.leave(0)) pair.compare();
        expect(pair.plain.requests.filter(({ state }) => state !== "done")).toEqual([]);
        expect(pair.gate.queued).toBe(0);
        expect(pair.gate.subjects).toBe(0);
        for (const id of IDS) expect(pair.gate.active(id)).toBe(0);
      }),
      { numRuns: 500 },
    );
  });

  it("no subject's queue takes a request beyond its size", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 80 }), fc.nat(3), (actions, queueSize) => {
        const gate = new ConcurrencyGate();
        const claims = [lane("key", 2)];
        let running = 0;
        for (const { do: what } of actions) {
          if (what === "enter") {
            const isFull = gate.active("key") >= 2 && gate.queued >= queueSize;
            const { kind } = gate.enter(claims, queueSize, () => running++);
            if (kind === "running") running++;
            expect(kind === "full").toBe(isFull);
          } else if (running > 0) {
            running--;
            gate.leave(claims);
          }
          expect(gate.queued).toBeLessThanOrEqual(queueSize);
        }
      }),
    );
  });
});
