import { describe, expect, it } from "vitest";

import { exampleOpen } from "../../../test/faults/journal-fixtures.ts";
import { OpenExchanges } from "./open-exchanges.ts";

describe("OpenExchanges", () => {
  it("remembers a settled exchange's attempt, and forgets it after thousands more", () => {
    const exchanges = new OpenExchanges();
    exchanges.settled("req_first", 2);
    for (let n = 0; n < 4_095; n++) exchanges.settled(`req_${n}`, 1);
    expect(exchanges.settledAttempt("req_first")).toBe(2);
    for (let n = 0; n < 10_000; n++) exchanges.settled(`req_later_${n}`, 1);
    expect(exchanges.settledAttempt("req_first")).toBeUndefined();
    expect(exchanges.settledAttempt("req_later_9999")).toBe(1);
  });

  it("says which open records lie in a segment or before it", () => {
    const exchanges = new OpenExchanges();
    exchanges.add(exampleOpen("a"), 1);
    exchanges.add(exampleOpen("b"), 2);
    exchanges.add(exampleOpen("c"), 3);
    exchanges.settled("b", 1);
    expect(exchanges.heldUpTo(2).map((open) => open.record.exchangeId)).toEqual(["a"]);
    expect(exchanges.size).toBe(2);
  });
});
