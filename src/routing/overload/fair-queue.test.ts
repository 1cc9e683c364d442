import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { FairQueue } from "./fair-queue.ts";
import { OrganizationLane } from "./organization-lane.ts";
import { Ticket } from "./overload-request.ts";

function ticket(organization: string, enteredAtMs = 0): Ticket {
  const request = {
    organization,
    urgency: "interactive" as const,
    deadlineAtMs: Infinity,
    admitted: () => {},
    shed: () => {},
  };
  return new Ticket(request, enteredAtMs);
}

describe("FairQueue", () => {
  it("gives each organisation one turn in a round", () => {
    const queue = new FairQueue();
    for (const organization of "aaaabbc") queue.push(ticket(organization));
    const order = Array.from({ length: 8 }, () => queue.take(false)?.request.organization ?? "-");

    expect(order.join("")).toBe("abcabaa-");
  });

  it("takes the newest of a turn when it is asked to", () => {
    const queue = new FairQueue();
    for (const atMs of [1, 2, 3]) queue.push(ticket("a", atMs));

    expect([queue.take(true), queue.take(false), queue.take(true)].map((each) => each?.enteredAtMs)).toEqual([3, 1, 2]);
  });

  it("finds who came first of all, and makes room where most wait", () => {
    const queue = new FairQueue();
    expect([queue.oldest(), queue.takeFromLongest()]).toEqual([null, null]);
    for (const [organization, atMs] of [
      ["a", 5],
      ["b", 3],
      ["b", 9],
    ] as const) {
      queue.push(ticket(organization, atMs));
    }
    expect(queue.oldest()?.enteredAtMs).toBe(3);
    expect(queue.takeFromLongest()?.enteredAtMs).toBe(9);
    expect([queue.size, queue.waitingOf("b")]).toEqual([2, 1]);
    queue.takeFromLongest();
    queue.takeFromLongest();
    expect([queue.size, queue.organizations]).toEqual([0, 0]);
  });

  it("agrees with plain lists, over any order of coming, taking and giving up", () => {
    const action = fc.oneof(
      {
        weight: 4,
        arbitrary: fc.record({ do: fc.constant("push" as const), organization: fc.constantFrom("a", "b", "c") }),
      },
      { weight: 2, arbitrary: fc.record({ do: fc.constant("take" as const), newest: fc.boolean() }) },
      { weight: 3, arbitrary: fc.record({ do: fc.constant("drop" as const), pick: fc.nat() }) },
    );
    fc.assert(
      fc.property(fc.array(action, { maxLength: 300 }), (actions) => {
        const queue = new FairQueue();
        let round: { organization: string; tickets: Ticket[] }[] = [];
        for (const [atMs, step] of actions.entries()) {
          if (step.do === "push") {
            const one = ticket(step.organization, atMs);
            queue.push(one);
            const lane = round.find(({ organization }) => organization === step.organization);
            if (lane === undefined) round.push({ organization: step.organization, tickets: [one] });
            else lane.tickets.push(one);
          } else if (step.do === "take") {
            const lane = round.shift();
            const expected = (step.newest ? lane?.tickets.pop() : lane?.tickets.shift()) ?? null;
            expect(queue.take(step.newest)).toBe(expected);
            if (expected !== null) expected.isWaiting = false;
            if (lane !== undefined && lane.tickets.length > 0) round.push(lane);
          } else {
            const all = round.flatMap(({ tickets }) => tickets);
            const one = all[step.pick % all.length];
            if (one === undefined) continue;
            queue.drop(one);
            for (const lane of round) lane.tickets = lane.tickets.filter((each) => each !== one);
            round = round.filter(({ tickets }) => tickets.length > 0);
          }
          const all = round.flatMap(({ tickets }) => tickets);
          expect(queue.size).toBe(all.length);
          expect(queue.all()).toEqual(all);
          expect(queue.oldest()).toBe(all.toSorted((a, b) => a.enteredAtMs - b.enteredAtMs)[0] ?? null);
        }
      }),
    );
  });
});

describe("OrganizationLane", () => {
  it("goes on in order through thousands that come, are served, and give up", () => {
    const lane = new OrganizationLane("a");
    const waiting: Ticket[] = [];
    for (let i = 0; i < 5_000; i++) {
      const one = ticket("a", i);
      lane.push(one);
      waiting.push(one);
      if (i % 3 === 0) expect(lane.take(false)).toBe(waiting.shift());
      if (i % 2 === 0 && waiting.length > 1) {
        const [dropped] = waiting.splice(Math.floor(waiting.length / 2), 1);
        dropped!.isWaiting = false;
        lane.dropped();
      }
      expect(lane.size).toBe(waiting.length);
    }
    expect([...lane]).toEqual(waiting);
  });
});
