import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { ManualClock } from "./clock.ts";
import { IdGenerator } from "./id.ts";

const START_MS = Date.UTC(2026, 10, 20);

/** Steps of a wall clock that mostly stands or creeps forward and sometimes jumps, both ways. */
const steps = fc.array(
  fc.oneof(
    { weight: 5, arbitrary: fc.constantFrom(0, 0, 0, 1) },
    { weight: 1, arbitrary: fc.integer({ min: -86_400_000, max: 86_400_000 }) },
  ),
  { minLength: 2, maxLength: 300 },
);

describe("IdGenerator", () => {
  it("makes a prefix and 26 characters of an alphabet that cannot be misread", () => {
    const id = new IdGenerator(new ManualClock(START_MS)).next("req");

    expect(id).toMatch(/^req_[0-9abcdefghjkmnpqrstvwxyz]{26}$/);
  });

  it("sorts as it was made, also when the wall clock stands still or goes back", () => {
    fc.assert(
      fc.property(steps, (steps) => {
        const clock = new ManualClock(START_MS);
        const generator = new IdGenerator(clock);
        const ids = steps.map((step) => {
          clock.setWall(clock.nowMs() + step);
          return generator.next("req");
        });

        expect(ids).toEqual(ids.toSorted());
        expect(new Set(ids).size).toBe(ids.length);
      }),
    );
  });

  it("keeps the order when a million ids are made within one millisecond", () => {
    const generator = new IdGenerator(new ManualClock(START_MS));
    let before = generator.next("req");
    let disorder = 0;
    for (let i = 0; i < 0x100000 + 10; i++) {
      const id = generator.next("req");
      if (id <= before) disorder++;
      before = id;
    }

    expect(disorder).toBe(0);
  });

  it("sorts by the time of making across processes", () => {
    const clock = new ManualClock(START_MS);
    const [first, second] = [new IdGenerator(clock), new IdGenerator(clock)];
    const earlier = Array.from({ length: 50 }, () => first.next("evt"));
    clock.advance(1);
    const later = second.next("evt");

    for (const id of earlier) expect(id < later).toBe(true);
  });

  it("gives two processes different ids in the same millisecond", () => {
    const clock = new ManualClock(START_MS);
    const generators = [new IdGenerator(clock), new IdGenerator(clock)];
    const ids = generators.flatMap((generator) => Array.from({ length: 1_000 }, () => generator.next("key")));

    expect(new Set(ids).size).toBe(2_000);
  });

  it("uses every character of the alphabet in the random part", () => {
    const generator = new IdGenerator(new ManualClock(START_MS));
    const seen = new Set(Array.from({ length: 500 }, () => generator.next("req").slice(-12)).join(""));

    expect(seen.size).toBe(32);
  });
});
