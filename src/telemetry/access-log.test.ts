import * as fc from "fast-check";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { ManualClock } from "../core/clock.ts";
import { AccessLog, type AccessLine } from "./access-log.ts";

const NOW_MS = Date.UTC(2026, 10, 20);

function line(given: Partial<AccessLine> = {}): AccessLine {
  return {
    requestId: "req_1",
    keyId: "key_1",
    endpoint: "messages",
    model: "claude-opus-5",
    target: "anthropic",
    status: 200,
    outcome: "complete",
    milliseconds: 1234.567,
    inputTokens: 10,
    outputTokens: 20,
    costMicroUsd: 300,
    ...given,
  };
}

describe("AccessLog", () => {
  let written: string[];
  let log: AccessLog;

  beforeEach(() => {
    vi.useFakeTimers();
    written = [];
    log = new AccessLog(new ManualClock(NOW_MS), (text) => written.push(text));
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it("writes a line in pino's shape", () => {
    log.write(line());
    log.flush();

    expect(JSON.parse(written.join(""))).toEqual({
      level: 30,
      time: NOW_MS,
      msg: "exchange",
      request_id: "req_1",
      key_id: "key_1",
      endpoint: "messages",
      model: "claude-opus-5",
      target: "anthropic",
      status: 200,
      outcome: "complete",
      ms: 1234.6,
      input_tokens: 10,
      output_tokens: 20,
      cost_micro_usd: 300,
    });
  });

  it("writes one valid line of JSON for any model name", () => {
    const hostile = fc.oneof(
      fc.string({ unit: "binary" }),
      fc.constantFrom('"', "\\", "\n{}", "\u2028", "\ud800", '","status":999,"x":"'),
    );
    fc.assert(
      fc.property(hostile, (model) => {
        written = [];
        log.write(line({ model, keyId: null, target: null }));
        log.flush();
        const text = written.join("");

        expect(text.indexOf("\n")).toBe(text.length - 1);
        expect(JSON.parse(text)).toMatchObject({ model, key_id: null, target: null, status: 200 });
      }),
    );
  });

  it("gathers lines for a quarter of a second", () => {
    log.write(line());
    log.write(line());
    expect(written).toEqual([]);
    vi.advanceTimersByTime(250);

    expect(written).toHaveLength(1);
    expect(written[0]?.match(/\n/g)).toHaveLength(2);
    expect(vi.getTimerCount()).toBe(0);
  });

  it("does not gather more than it should hold, and loses nothing", () => {
    for (let i = 0; i < 1_000; i++) log.write(line({ requestId: `req_${i}` }));
    log.flush();
    const ids = written
      .join("")
      .trimEnd()
      .split("\n")
      .map((text) => JSON.parse(text).request_id);

    expect(ids).toEqual(Array.from({ length: 1_000 }, (_, i) => `req_${i}`));
    expect(Math.max(...written.map((text) => text.length))).toBeLessThan(17_000);
  });

  it("writes nothing when there is nothing", () => {
    log.flush();

    expect(written).toEqual([]);
  });
});
