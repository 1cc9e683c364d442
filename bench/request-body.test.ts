import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FULL, QUICK, CASES, answerOf, eventsLasting } from "./cases.ts";
import { requestBody } from "./request-body.ts";

interface Body {
  model: string;
  stream: boolean;
  messages: { role: string; content: { text?: string }[] }[];
}

describe("a request of the benchmark", () => {
  it("is valid JSON of exactly the size asked for", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1500, max: 120_000 }), (bytes) => {
        const body = requestBody(bytes, { kind: "json" });
        expect(body.length).toBe(bytes);
        expect(JSON.parse(body.toString())).toMatchObject({ stream: false });
      }),
      { numRuns: 60 },
    );
  });

  it("alternates between user and assistant, as the Messages API asks", () => {
    const { messages } = JSON.parse(requestBody(100_000, { kind: "json" }).toString()) as Body;
    expect(messages.length).toBeGreaterThan(20);
    expect(messages.map(({ role }) => role)).toEqual(
      messages.map((_, index) => (index % 2 === 0 ? "user" : "assistant")),
    );
  });

  it("tells the upstream in its first message what to answer, and asks for a stream when that is one", () => {
    const { messages, stream } = JSON.parse(
      requestBody(2000, { kind: "stream", events: 50, paceMs: 20 }).toString(),
    ) as Body;
    expect(messages[0]?.content[0]?.text).toMatch(/^bench-plan:sse:50:20; /);
    expect(stream).toBe(true);
  });

  it("cannot be smaller than its fixed parts", () => {
    expect(() => requestBody(300, { kind: "json" })).toThrow(/more are needed/);
  });
});

describe("a paced stream", () => {
  it("lasts at least as long as it is to be watched: one pause between two deltas", () => {
    const events = eventsLasting(3.1, 20);
    const deltas = events - 6;
    expect((deltas - 1) * 20).toBeGreaterThanOrEqual(3100);
  });

  it.each([QUICK, FULL])("is longer than its window in every mode", (durations) => {
    for (const one of CASES) {
      const answer = answerOf(one, durations);
      if (one.kind !== "paced" && one.kind !== "memory") continue;
      const windowSeconds = one.kind === "paced" ? durations.pacedSeconds : durations.memorySeconds;
      expect(answer.kind === "stream" && ((answer.events - 7) * answer.paceMs) / 1000).toBeGreaterThan(windowSeconds);
    }
  });
});
