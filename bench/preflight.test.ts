import { describe, expect, it } from "vitest";
import { describeDifference, expectedAnswer, fnv1a } from "./preflight.ts";

describe("the checksum of an answer", () => {
  // Test vectors of the FNV authors: http://www.isthe.com/chongo/src/fnv/test_fnv.c
  it.each([
    ["", "cbf29ce484222325"],
    ["a", "af63dc4c8601ec8c"],
    ["foobar", "85944171f73967e8"],
  ])("of %j is the published one", (text, sum) => {
    expect(fnv1a(Buffer.from(text))).toBe(sum);
  });

  it("leaves out when an answer of OpenAI's formats was made, and nothing else", () => {
    const sum = (text: string) => expectedAnswer(Buffer.from(text), false).sum;
    expect(sum('{"created":1795215726,"n":1}')).toBe(sum('{"created":1795215727,"n":1}'));
    expect(sum('{"created":1795215726,"n":1}')).not.toBe(sum('{"created":1795215726,"n":2}'));
    expect(sum('{"n":1}')).toBe(fnv1a(Buffer.from('{"n":1}')));
  });

  it("is not expected of an answer that holds timestamps", () => {
    expect(expectedAnswer(Buffer.from("t=1"), true)).toEqual({ bytes: 3, sum: undefined });
  });
});

describe("the comparison of an answer with the upstream's own", () => {
  it("finds nothing when they are the same", () => {
    expect(describeDifference(Buffer.from("same"), Buffer.from("same"))).toBeNull();
  });

  it("names the first byte that differs, and both lengths", () => {
    const difference = describeDifference(Buffer.from('{"a":1}'), Buffer.from('{"a": 1}'));
    expect(difference).toContain("at byte 5");
    expect(difference).toContain("7 and 8 bytes");
  });

  it("notices an answer that only stops early", () => {
    expect(describeDifference(Buffer.from("whole"), Buffer.from("who"))).toContain("at byte 3");
  });
});
