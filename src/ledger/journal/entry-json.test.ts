import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { exampleEntry, exampleOpen, hostileText, stored } from "../../../test/faults/journal-fixtures.ts";
import type { Entry, OpenRecord } from "../../message/entry.ts";
import { entryJson, openFromJson, openJson } from "./entry-json.ts";

const maybeText = fc.option(hostileText);
const count = fc.nat();
const number = fc.oneof(count, fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e300, max: 1e300 }));

const commonFields = {
  exchangeId: hostileText,
  organizationId: hostileText,
  teamId: maybeText,
  userId: maybeText,
  keyId: hostileText,
  userType: hostileText,
  sessionId: maybeText,
  agentId: maybeText,
  parentAgentId: maybeText,
  tag: maybeText,
  endpoint: hostileText,
  clientFormat: hostileText,
  modelAsked: hostileText,
  modelServed: hostileText,
  stream: fc.boolean(),
  reservedMicroUsd: count,
  priceVersion: hostileText,
  admittedAtMs: count,
};

const anyOpen: fc.Arbitrary<OpenRecord> = fc.record({ ...commonFields, estimatedInputTokens: count });

const anyEntry: fc.Arbitrary<Entry> = fc.record({
  ...commonFields,
  attempt: count,
  attempts: count,
  target: maybeText,
  targetModel: maybeText,
  routeReason: maybeText,
  status: count,
  outcome: fc.constantFrom("complete", "client_gone", "interrupted"),
  usage: fc.record({
    inputTokens: count,
    outputTokens: count,
    cacheWrite5mTokens: count,
    cacheWrite1hTokens: count,
    cacheReadTokens: count,
    webSearchRequests: count,
    serviceTier: maybeText,
    speed: maybeText,
    inferenceGeo: maybeText,
  }),
  usageSource: fc.constantFrom("reported", "partial", "estimated"),
  costMicroUsd: count,
  cacheMove: maybeText,
  cacheLossMicroUsd: count,
  settledAtMs: count,
  latencyMs: number,
  timeToFirstTokenMs: fc.option(number),
  upstreamRequestId: maybeText,
});

/** The record with every text as jsonb can hold it, and -0 as JSON writes it. */
function expected(value: unknown): unknown {
  if (typeof value === "string") return stored(value);
  if (typeof value === "number") return value + 0;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, expected(inner)]));
}

describe("entryJson", () => {
  it("writes an entry as JSON with its fields in their declared order", () => {
    expect(entryJson(exampleEntry("req_1"))).toBe(
      '{"exchangeId":"req_1","attempt":1,"attempts":1,"organizationId":"org_1","teamId":"team_1","userId":null,' +
        '"keyId":"key_1","userType":"developer","sessionId":"3f0e5c9e-9c3e-4a53-8d0c-4c3c1b7f1c11","agentId":null,' +
        '"parentAgentId":null,"tag":null,"endpoint":"/v1/messages","clientFormat":"anthropic",' +
        '"modelAsked":"claude-sonnet-4-5","modelServed":"claude-sonnet-4-5-20250929","target":"anthropic",' +
        '"targetModel":"claude-sonnet-4-5-20250929","routeReason":"affinity","stream":true,"status":200,' +
        '"outcome":"complete","usage":{"inputTokens":1200,"outputTokens":350,"cacheWrite5mTokens":0,' +
        '"cacheWrite1hTokens":0,"cacheReadTokens":24000,"webSearchRequests":0,"serviceTier":"standard","speed":null,' +
        '"inferenceGeo":"us"},"usageSource":"reported","costMicroUsd":16450,"cacheMove":null,"cacheLossMicroUsd":0,' +
        '"priceVersion":"2026-11-01",' +
        '"reservedMicroUsd":20000,"admittedAtMs":1763664000000,"settledAtMs":1763664004000,"latencyMs":4000.25,' +
        '"timeToFirstTokenMs":612.5,"upstreamRequestId":"req_011CSHoEeqs5C35K2UUqR7Fy"}',
    );
  });

  it("given any entry, hostile texts included, parses back to what was given", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        expect(JSON.parse(entryJson(entry))).toEqual(expected(entry));
      }),
      { numRuns: 500 },
    );
  });

  it("never writes what jsonb refuses: no NUL and no surrogate without its pair", () => {
    fc.assert(
      fc.property(anyEntry, (entry) => {
        const text = entryJson(entry);
        expect(text.isWellFormed()).toBe(true);
        for (const [escape] of text.matchAll(/(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f]..)/gi)) expect(escape).toBe("");
      }),
      { numRuns: 500 },
    );
  });

  it("leaves out whatever else the object carries", () => {
    const entry = { ...exampleEntry("req_1"), secret: "canary", toJSON: () => "canary" };
    expect(entryJson(entry)).toBe(entryJson(exampleEntry("req_1")));
  });

  it.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])("refuses the number %s", (costMicroUsd) => {
    expect(() => entryJson(exampleEntry("req_1", { costMicroUsd }))).toThrow(/req_1: a number .* not finite/);
    expect(() => entryJson(exampleEntry("req_1", { latencyMs: costMicroUsd }))).toThrow(/not finite/);
    expect(() => entryJson(exampleEntry("req_1", { cacheLossMicroUsd: costMicroUsd }))).toThrow(/not finite/);
  });
});

describe("openJson", () => {
  it("given any open record, hostile texts included, parses back to what was given", () => {
    fc.assert(
      fc.property(anyOpen, (record) => {
        expect(JSON.parse(openJson(record))).toEqual(expected(record));
      }),
      { numRuns: 500 },
    );
  });

  it("refuses a number that is not finite", () => {
    expect(() => openJson(exampleOpen("req_1", { reservedMicroUsd: Number.NaN }))).toThrow(/not finite/);
  });
});

describe("openFromJson", () => {
  it("reads what openJson wrote", () => {
    const record = exampleOpen("req_1", { clientFormat: "openai-responses" });
    expect(openFromJson(Buffer.from(openJson(record)))).toEqual(record);
  });

  it("given a record of a Weir that spoke Messages alone, fills in that format", () => {
    const { clientFormat: _unknown, ...earlier } = exampleOpen("req_1");
    expect(openFromJson(Buffer.from(JSON.stringify(earlier)))).toEqual({ ...earlier, clientFormat: "anthropic" });
  });
});
