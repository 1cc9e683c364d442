import { describe, expect, it } from "vitest";

import { DEFAULT_ROUTING } from "../settings.ts";
import { target } from "../testing/route-fixtures.ts";
import { RuntimeBook } from "./runtime-book.ts";

const BUDGET = DEFAULT_ROUTING.retry.budget;

function numbered(number: number): ReturnType<typeof target> {
  return target("a", { key: `a/model-${number}` });
}

describe("RuntimeBook", () => {
  it("remembers a bounded number of targets, and says when one that was known has been forgotten", () => {
    const book = new RuntimeBook(BUDGET, ["a"]);
    const busy = book.target(numbered(0));
    busy.activity.inFlight = 1;
    for (let i = 1; i < 4_096; i++) book.target(numbered(i));
    expect(book.generation).toBe(0);

    book.target(numbered(5_000));
    expect(book.generation).toBe(1);
    expect([...book.targets]).toHaveLength(4_096);
    // The oldest has something under way; the next oldest went.
    expect(book.target(numbered(0))).toBe(busy);
    expect([...book.targets].map(({ key }) => key)).not.toContain("a/model-1");
  });

  it("keeps what is known of an upstream when the settings change, with a new budget if that has changed", () => {
    const book = new RuntimeBook(BUDGET, ["a"]);
    const upstream = book.upstream("a");
    const budget = upstream.retryBudget;
    book.configure({ ...BUDGET }, ["a"]);
    expect(book.upstream("a").retryBudget).toBe(budget);

    book.configure({ ...BUDGET, minPerSecond: 1 }, ["a", "b"]);
    expect(book.upstream("a")).toBe(upstream);
    expect(upstream.retryBudget.left(0)).toBe(10);
    expect([...book.upstreams].map(({ name }) => name)).toEqual(["a", "b"]);
  });

  it("counts a target anew when it has moved to another cloud", () => {
    const book = new RuntimeBook(BUDGET, ["a"]);
    const before = book.target(target("a", { cloud: "aws" }));

    expect(book.target(target("a", { cloud: "aws" }))).toBe(before);
    expect(book.target(target("a", { cloud: "gcp" })).cloud).toBe("gcp");
  });

  it("remembers nothing of an upstream that is not configured", () => {
    const book = new RuntimeBook(BUDGET, ["a"]);
    book.target(target("gone")).activity.inFlight = 1;

    expect([...book.targets]).toEqual([]);
    expect([...book.upstreams].map(({ name }) => name)).toEqual(["a"]);
  });
});
