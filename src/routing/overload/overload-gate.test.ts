import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import type { Urgency } from "../plan.ts";
import { DEFAULT_OVERLOAD, type OverloadSettings } from "../settings.ts";
import { seededRandom } from "../testing/seeded-random.ts";
import { OverloadGate } from "./overload-gate.ts";
import { shedWords, type Entrance, type OverloadRequest, type Shed, type Ticket } from "./overload-request.ts";

type Fate = "outside" | "queued" | "running" | "shed" | "left";

class Visitor implements OverloadRequest {
  readonly organization: string;
  readonly urgency: Urgency;
  readonly deadlineAtMs: number;
  fate: Fate = "outside";
  refusal: Shed | null = null;
  ticket: Ticket | null = null;
  waitedMs = 0;
  /** Told once, and never twice. */
  told = 0;
  startedAs = -1;

  constructor(organization: string, urgency: Urgency, deadlineAtMs: number) {
    this.organization = organization;
    this.urgency = urgency;
    this.deadlineAtMs = deadlineAtMs;
  }

  admitted(waitedMs: number): void {
    this.told++;
    this.fate = "running";
    this.waitedMs = waitedMs;
    this.onAdmitted?.(this);
  }

  shed(refusal: Shed): void {
    this.told++;
    this.fate = "shed";
    this.refusal = refusal;
  }

  onAdmitted: ((visitor: Visitor) => void) | null = null;
}

class House {
  readonly clock = new ManualClock(0);
  readonly gate: OverloadGate;
  readonly visitors: Visitor[] = [];
  /** Names of organisations in the order in which their requests began. */
  readonly started: Visitor[] = [];

  constructor(limit: number, settings: Partial<OverloadSettings> = {}) {
    const fixed = { ...DEFAULT_OVERLOAD.limit, initial: limit, max: limit };
    this.gate = new OverloadGate({ ...DEFAULT_OVERLOAD, batchShare: 1, limit: fixed, ...settings }, seededRandom(1));
  }

  enter(organization = "org", urgency: Urgency = "interactive", deadlineInMs = Infinity): Visitor {
    const visitor = new Visitor(organization, urgency, this.clock.monotonicMs() + deadlineInMs);
    visitor.onAdmitted = (each) => this.started.push(each);
    const entrance = this.gate.enter(visitor, this.clock.monotonicMs());
    visitor.fate = fateOf(entrance);
    if (entrance.kind === "shed") visitor.refusal = entrance;
    if (entrance.kind === "queued") visitor.ticket = entrance.ticket;
    if (entrance.kind === "admitted") this.started.push(visitor);
    this.visitors.push(visitor);
    return visitor;
  }

  leave(visitor: Visitor): void {
    visitor.fate = "left";
    this.gate.leave(visitor.urgency, this.clock.monotonicMs());
  }

  /** One that runs leaves; its place goes on. */
  turn(): void {
    const running = this.visitors.find(({ fate }) => fate === "running");
    if (running !== undefined) this.leave(running);
  }

  tick(loopDelayMs = 1): void {
    this.gate.tick(this.clock.monotonicMs(), loopDelayMs);
  }

  waits(ms: number, loopDelayMs = 1): this {
    for (let left = ms; left > 0; left -= 100) {
      this.clock.advance(Math.min(100, left));
      this.tick(loopDelayMs);
    }
    return this;
  }

  count(fate: Fate): number {
    return this.visitors.filter((visitor) => visitor.fate === fate).length;
  }
}

function fateOf({ kind }: Entrance): Fate {
  return kind === "admitted" ? "running" : kind;
}

function organizations(visitors: readonly Visitor[]): string {
  return visitors.map(({ organization }) => organization).join("");
}

describe("within the limit", () => {
  it("everybody runs at once", () => {
    const house = new House(50);
    for (let i = 0; i < 50; i++) expect(house.enter().fate).toBe("running");

    expect(house.enter().fate).toBe("queued");
    expect(house.gate.describe()).toMatchObject({ inFlight: 50, queuedInteractive: 1, limit: 50 });
  });

  it("everybody runs at once when it is switched off, however many", () => {
    const house = new House(20, { enabled: false });
    for (let i = 0; i < 500; i++) expect(house.enter().fate).toBe("running");
  });
});

describe("those who wait", () => {
  it("come in by turns of their organisations, however many of one wait", () => {
    const house = new House(1);
    house.enter("x");
    for (let i = 0; i < 5; i++) house.enter("a");
    house.enter("b");
    house.enter("c");
    for (let i = 0; i < 8; i++) house.turn();

    expect(organizations(house.started)).toBe("xabcaaaa");
  });

  it("are told how long they have waited", () => {
    const house = new House(1);
    const first = house.enter();
    const second = house.enter();
    house.clock.advance(700);
    house.leave(first);

    expect(second).toMatchObject({ fate: "running", waitedMs: 700, told: 1 });
  });

  it("come in interactive first, but one place in ten is batch's", () => {
    const house = new House(1, {
      maxQueued: 10_000,
      maxQueuedPerOrganization: 10_000,
      interactiveWaitMs: 1e9,
      batchWaitMs: 1e9,
    });
    house.enter();
    for (let i = 0; i < 10; i++) house.enter("b", "batch");
    for (let i = 0; i < 40; i++) house.enter("i");
    for (let i = 0; i < 50; i++) house.turn();
    const order = organizations(house.started).slice(3);

    expect(order.slice(0, 20)).toBe("iiiiiiiiibiiiiiiiiib");
    expect(house.count("left")).toBe(50);
  });

  it("do not hold up an interactive request when only batch has no room", () => {
    const house = new House(10, { batchShare: 0.5 });
    for (let i = 0; i < 8; i++) house.enter("b", "batch");
    expect(house.gate.describe()).toMatchObject({ batchInFlight: 5, queuedBatch: 3 });

    for (let i = 0; i < 5; i++) expect(house.enter("i").fate).toBe("running");
    expect(house.enter("i").fate).toBe("queued");
  });

  it("may leave, and their place in the queue with them", () => {
    const house = new House(1);
    const running = house.enter();
    const [second, third] = [house.enter(), house.enter()];
    house.gate.cancel(second.ticket!, 0);
    house.gate.cancel(second.ticket!, 0);
    expect(house.gate.describe().queuedInteractive).toBe(1);

    house.leave(running);
    expect([second.told, third.fate]).toEqual([0, "running"]);
  });

  it("may come back from within being told", () => {
    const house = new House(1);
    const running = house.enter();
    const second = house.enter();
    second.onAdmitted = () => {
      house.enter("again");
      house.leave(second);
    };
    house.leave(running);

    expect(organizations(house.started)).toBe("orgagain");
    expect(house.gate.describe()).toMatchObject({ inFlight: 1, queuedInteractive: 0 });
  });
});

describe("refusal", () => {
  it("comes at once when an organisation's queue is full, and leaves the others theirs", () => {
    const house = new House(1, { maxQueuedPerOrganization: 3 });
    for (let i = 0; i < 4; i++) house.enter("a");

    expect(house.enter("a").refusal).toMatchObject({ kind: "shed", reason: "organization_queue_full" });
    expect(house.enter("b").fate).toBe("queued");
  });

  it("comes at once when all queues are full; an interactive request takes a batch request's place", () => {
    const house = new House(1, { maxQueued: 3 });
    house.enter();
    const batch = house.enter("b", "batch");
    house.enter("i");
    house.enter("i");
    expect(house.enter("b", "batch").refusal?.reason).toBe("queue_full");

    expect(house.enter("i").fate).toBe("queued");
    expect(batch.refusal?.reason).toBe("displaced");
    expect(house.enter("i").refusal?.reason).toBe("queue_full");
  });

  it("comes at once for what could not begin by its deadline", () => {
    const house = new House(1);
    for (let i = 0; i < 30; i++) {
      const visitor = house.enter();
      house.clock.advance(1_000);
      house.leave(visitor);
    }
    house.enter();
    for (let i = 0; i < 3; i++) house.enter("others");

    // One place falls free each second, and three are waiting before it.
    expect(house.enter("me", "interactive", 900).refusal?.reason).toBe("deadline");
    expect(house.enter("me", "interactive", 8_000).fate).toBe("queued");
  });

  it("comes to those who have waited as long as they may", () => {
    const house = new House(1);
    house.enter();
    const waiting = house.enter("a", "interactive", 2_000);
    const batch = house.enter("b", "batch");
    house.waits(1_900);
    expect(waiting.fate).toBe("queued");

    house.waits(200);
    expect(waiting).toMatchObject({ fate: "shed", told: 1, refusal: { reason: "deadline" } });
    house.waits(DEFAULT_OVERLOAD.batchWaitMs);
    expect(batch).toMatchObject({ fate: "shed", refusal: { reason: "waited_too_long" } });
  });

  it("never lets somebody begin after the deadline, though no tick has come in between", () => {
    const house = new House(1);
    const running = house.enter();
    const late = house.enter("a", "interactive", 100);
    const next = house.enter("b");
    house.clock.advance(150);
    house.leave(running);

    expect([late.fate, next.fate]).toEqual(["shed", "running"]);
  });

  it("says when to come back, within its bounds, and spread", () => {
    const house = new House(1, { maxQueuedPerOrganization: 0 });
    house.enter();
    const waits = Array.from({ length: 50 }, () => house.enter().refusal!.retryAfterMs);
    for (const ms of waits) {
      expect(ms).toBeGreaterThanOrEqual(DEFAULT_OVERLOAD.minRetryAfterMs);
      expect(ms).toBeLessThanOrEqual(DEFAULT_OVERLOAD.maxRetryAfterMs);
    }
    expect(new Set(waits).size).toBeGreaterThan(10);
    expect(shedWords("organization_queue_full")).toBe("too many requests of your organization are waiting already");
  });
});

describe("a standing queue", () => {
  function standing(): House {
    const house = new House(2, { interactiveWaitMs: 60_000 });
    house.enter();
    house.enter();
    for (let i = 0; i < 20; i++) {
      house.enter("a");
      house.waits(300);
    }
    return house;
  }

  it("is told from a burst by its shortest wait", () => {
    expect(standing().gate.describe().isOverloaded).toBe(true);

    const burst = new House(2);
    for (let i = 0; i < 20; i++) burst.enter();
    for (let i = 0; i < 18; i++) {
      burst.waits(50);
      burst.turn();
    }
    expect(burst.gate.describe().isOverloaded).toBe(false);
  });

  it("is served newest first, whose clients still wait, and takes no batch requests", () => {
    const house = standing();
    const newest = house.enter("a");
    house.turn();

    expect(newest.fate).toBe("running");
    expect(house.enter("b", "batch").refusal?.reason).toBe("batch_while_overloaded");
  });

  it("is over when it has drained", () => {
    const house = standing();
    for (let i = 0; i < 30; i++) house.turn();

    expect(house.gate.describe()).toMatchObject({ isOverloaded: false, inFlight: 0, queuedInteractive: 0 });
    expect(house.enter("b", "batch").fate).toBe("running");
  });
});

describe("the limit", () => {
  const adaptive = { ...DEFAULT_OVERLOAD.limit, initial: 100, min: 10, max: 1_000 };

  function busy(loopDelayMs: number, seconds: number, house = new House(0, { limit: adaptive })): number {
    for (let i = 0; i < seconds * 10; i++) {
      while (house.gate.describe().inFlight < house.gate.describe().limit) house.enter();
      house.clock.advance(100);
      house.tick(loopDelayMs);
    }
    return house.gate.describe().limit;
  }

  it("grows while all places are taken and the event loop is well", () => {
    expect(busy(5, 10)).toBeGreaterThan(250);
    expect(busy(5, 120)).toBe(1_000);
  });

  it("falls at once when the event loop is late, in proportion, and never below the minimum", () => {
    expect(busy(100, 0.1)).toBe(50);
    expect(busy(62.5, 0.1)).toBe(80);
    expect(busy(5_000, 0.1)).toBe(50);
    expect(busy(5_000, 60)).toBe(10);
  });

  it("stays where it is while it is not needed", () => {
    const house = new House(0, { limit: adaptive });
    house.enter();
    house.waits(60_000, 5);

    expect(house.gate.describe().limit).toBe(100);
  });
});

const ORGANIZATIONS = ["a", "b", "c"];
const action = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant("enter" as const),
      organization: fc.constantFrom(...ORGANIZATIONS),
      urgency: fc.constantFrom<Urgency>("interactive", "batch"),
      deadlineInMs: fc.constantFrom(200, 5_000, Infinity),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant("leave" as const), pick: fc.nat() }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant("cancel" as const), pick: fc.nat() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("tick" as const), ms: fc.nat(1_500) }) },
);

describe("over any order of coming, going and giving up", () => {
  it("nobody is lost, told twice, or run beyond the limit, and places are not left empty while somebody waits", () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 120 }), fc.integer({ min: 1, max: 5 }), (actions, limit) => {
        const house = new House(limit, { maxQueued: 8, maxQueuedPerOrganization: 4 });
        const of = (fate: Fate, pick: number): Visitor | undefined => {
          const found = house.visitors.filter((visitor) => visitor.fate === fate);
          return found[pick % found.length];
        };
        for (const step of actions) {
          if (step.do === "enter") house.enter(step.organization, step.urgency, step.deadlineInMs);
          if (step.do === "tick") house.waits(step.ms);
          const leaver = step.do === "leave" ? of("running", step.pick) : undefined;
          if (leaver !== undefined) house.leave(leaver);
          const canceller = step.do === "cancel" ? of("queued", step.pick) : undefined;
          if (canceller !== undefined) {
            house.gate.cancel(canceller.ticket!, house.clock.monotonicMs());
            canceller.fate = "left";
          }
          const seen = house.gate.describe();
          expect(seen.inFlight).toBe(house.count("running"));
          expect(seen.inFlight).toBeLessThanOrEqual(limit);
          expect(seen.queuedInteractive + seen.queuedBatch).toBe(house.count("queued"));
          if (house.count("queued") > 0) expect(seen.inFlight).toBe(limit);
        }
        for (const visitor of house.visitors) expect(visitor.told).toBeLessThanOrEqual(1);
        house.waits(DEFAULT_OVERLOAD.batchWaitMs + 200);
        expect(house.count("queued")).toBe(0);
      }),
      { numRuns: 200 },
    );
  });

  it("no organisation starves: each gets its even share while all of them press", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 6 }),
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 1, max: 20 }),
        (count, limit, greed) => {
          const house = new House(limit, { maxQueued: 1e6, maxQueuedPerOrganization: 50, interactiveWaitMs: 1e9 });
          const names = Array.from({ length: count }, (_, i) => String(i));
          const started: Record<string, number> = {};
          for (let round = 0; round < 300; round++) {
            // The first presses many times harder than the others.
            for (const [i, name] of names.entries()) for (let k = 0; k < (i === 0 ? greed : 1); k++) house.enter(name);
            for (let k = 0; k < count / 2; k++) house.turn();
            house.clock.advance(1);
          }
          for (const { organization } of house.started.slice(-Math.floor(house.started.length / 2))) {
            started[organization] = (started[organization] ?? 0) + 1;
          }
          const shares = names.map((name) => started[name] ?? 0);
          expect(Math.min(...shares)).toBeGreaterThan(0);
          expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(2);
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe("a late event loop", () => {
  it("is no reason to bear less while next to nothing is in flight", () => {
    const limit = { ...DEFAULT_OVERLOAD.limit, initial: 5_000, min: 20, max: 10_000 };
    const house = new House(0, { limit });
    for (let i = 0; i < 19; i++) house.enter();
    house.tick(2_000);
    expect(house.gate.describe().limit).toBe(5_000);

    house.clock.advance(DEFAULT_OVERLOAD.limit.stepMs);
    house.enter();
    house.tick(2_000);
    expect(house.gate.describe().limit).toBe(20);
  });
});

describe("the gate under other settings", () => {
  const gateOf = (limit: number, more: Partial<OverloadSettings> = {}): OverloadSettings => ({
    ...DEFAULT_OVERLOAD,
    batchShare: 1,
    limit: { ...DEFAULT_OVERLOAD.limit, initial: limit, min: 1, max: limit },
    ...more,
  });

  it("lets in at once who has room by them, and takes no place from who runs", () => {
    const house = new House(2);
    const visitors = Array.from({ length: 5 }, () => house.enter());
    house.gate.configure(gateOf(4), house.clock.monotonicMs());
    expect(visitors.map(({ fate }) => fate)).toEqual(["running", "running", "running", "running", "queued"]);

    house.gate.configure(gateOf(1), house.clock.monotonicMs());
    expect(house.gate.describe()).toMatchObject({ limit: 1, inFlight: 4, queuedInteractive: 1 });
  });

  it("keeps the level that the limit has found, within the new bounds, where its beginning is the same", () => {
    const house = new House(100);
    const { limit } = gateOf(100);
    for (let i = 0; i < 50; i++) house.enter();
    house.gate.tick(0, 500);
    const found = house.gate.describe().limit;
    expect(found).toBeLessThan(100);

    house.gate.configure(gateOf(100, { maxQueued: 1 }), 1);
    expect(house.gate.describe().limit).toBe(found);
    house.gate.configure(gateOf(100, { limit: { ...limit, min: 60 } }), 2);
    expect(house.gate.describe().limit).toBe(60);
  });

  it("refuses nobody any more once it is switched off", () => {
    const house = new House(1);
    const waiting = [house.enter(), house.enter(), house.enter()];
    house.gate.configure(gateOf(1, { enabled: false }), house.clock.monotonicMs());

    expect(waiting.map(({ fate }) => fate)).toEqual(["running", "running", "running"]);
  });
});
