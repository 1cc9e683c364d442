import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type Answer, FULL, QUICK, CASES, answerOf, askingOf, eventsLasting, passThroughOf } from "./cases.ts";
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

describe("a request of a translated case", () => {
  const answer = { kind: "stream", events: 50, paceMs: 0 } as const;

  it.each(["messages", "chat", "bedrock"] as const)("has the size asked for as %s too", (client) => {
    for (const bytes of [2_000, 100_000]) {
      const body = requestBody(bytes, answer, { client });
      expect(body.length).toBe(bytes);
      expect(body.toString()).toContain("bench-plan:sse:50:0; ");
    }
  });

  it("names the model that it is to be served by", () => {
    expect(JSON.parse(requestBody(2_000, answer, { model: "m" }).toString())).toMatchObject({ model: "m" });
  });

  it("asks for the usage at the end of a stream, as a Chat Completions client does", () => {
    const body = (one: Answer): unknown => JSON.parse(requestBody(2_000, one, { client: "chat" }).toString());
    expect(body(answer)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
    expect(body({ kind: "json" })).not.toHaveProperty("stream_options");
  });

  it("has model and stream in the path, not in the body, as a Bedrock client does", () => {
    const body: unknown = JSON.parse(requestBody(2_000, answer, { client: "bedrock" }).toString());
    expect(body).toMatchObject({ anthropic_version: "bedrock-2023-05-31" });
    expect(body).not.toHaveProperty("model");
    expect(body).not.toHaveProperty("stream");
  });
});

describe("the cases", () => {
  it("measure each translation after the case of the same size and answer, with nothing else but translations between", () => {
    CASES.forEach((one, index) => {
      const passThrough = passThroughOf(one.id);
      if (passThrough === null || one.kind !== "requests") return;
      const before = CASES.slice(0, index).findLast((earlier) => passThroughOf(earlier.id) === null);
      expect(before).toMatchObject({ id: passThrough, bodyBytes: one.bodyBytes, answer: one.answer });
    });
    expect(CASES.filter((one) => passThroughOf(one.id) !== null)).not.toHaveLength(0);
  });

  it("are asked for where clients of the format do", () => {
    const path = (id: string) => CASES.filter((one) => one.id === id).map((one) => askingOf(one).path);
    expect(path("json-2k")).toEqual(["/v1/messages"]);
    expect(path("json-2k-to-bedrock")).toEqual(["/v1/messages"]);
    expect(path("stream-2k-from-chat")).toEqual(["/v1/chat/completions"]);
    expect(path("stream-2k-from-bedrock")).toEqual(["/model/claude-sonnet-4-6/invoke-with-response-stream"]);
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
