import { describe, expect, it } from "vitest";

import { readDirective, withoutDirectives } from "./directive.ts";
import { DirectiveCounter } from "./directive-counter.ts";

const read = (text: string): ReturnType<typeof readDirective> => readDirective(text, "claude-sonnet-5-5");

describe("readDirective", () => {
  it("finds none in an ordinary prompt", () => {
    expect(read("How are [[links]] written?")).toBeNull();
  });

  it("reads length, pace and latency", () => {
    expect(read("Go [[sandbox: latency=500; events=50; delay=20]] now")).toMatchObject({
      latencyMs: 500,
      events: 50,
      delayMs: 20,
      tokens: null,
      fault: null,
    });
  });

  it.each([
    ["status=429; retry_after=3", { kind: "status", status: 429, retryAfterSeconds: 3 }],
    ["reset=1", { kind: "reset" }],
    ["cut=7", { kind: "cut", afterEvents: 7, how: "destroy" }],
    ["cut=0; how=error", { kind: "cut", afterEvents: 0, how: "error" }],
    ["silence=3", { kind: "silence", afterEvents: 3 }],
    ["silence=3, for=250", { kind: "silence", afterEvents: 3, durationMs: 250 }],
    ["slow=900", { kind: "slow_first_byte", delayMs: 900 }],
  ])("reads the fault of %s", (body, fault) => {
    expect(read(`[[sandbox: ${body}]]`)?.fault).toEqual(fault);
  });

  it("applies only to the model it names", () => {
    expect(readDirective("[[sandbox: cut=1; model=haiku]]", "claude-sonnet-5-5")).toBeNull();
    expect(readDirective("[[sandbox: cut=1; model=haiku]]", "claude-haiku-5-5")?.fault).not.toBeNull();
  });

  it("takes the last of several", () => {
    expect(read("[[sandbox: tokens=5]] and [[sandbox: tokens=9]]")?.tokens).toBe(9);
  });

  it.each([
    ["cutt=7", /"cutt" is no key; the keys are .*cut, how/],
    ["cut=seven", /cut must be a whole number/],
    ["how=sideways; cut=1", /how must be one of destroy, end, error/],
    ["status=200", /status must be 400 to 599/],
    ["stop=whenever", /stop must be one of/],
  ])("says what is wrong with %s", (body, message) => {
    expect(() => read(`[[sandbox: ${body}]]`)).toThrow(message);
  });

  it("is taken out of the prompt", () => {
    expect(withoutDirectives("Say hi [[sandbox: cut=7]]")).toBe("Say hi");
  });
});

describe("DirectiveCounter", () => {
  const once = read("[[sandbox: status=529; times=1]]");

  it("lets a fault hit only the first requests that carry it", () => {
    const counter = new DirectiveCounter();
    expect(counter.fault(once!, "claude-sonnet-5-5", 0)).not.toBeNull();
    expect(counter.fault(once!, "claude-sonnet-5-5", 10)).toBeNull();
  });

  it("counts each model for itself", () => {
    const counter = new DirectiveCounter();
    counter.fault(once!, "claude-haiku-5-5", 0);
    expect(counter.fault(once!, "claude-sonnet-5-5", 0)).not.toBeNull();
  });

  it("starts afresh after five minutes", () => {
    const counter = new DirectiveCounter();
    counter.fault(once!, "claude-sonnet-5-5", 0);
    expect(counter.fault(once!, "claude-sonnet-5-5", 300_000)).not.toBeNull();
  });

  it("hits every request without times", () => {
    const counter = new DirectiveCounter();
    const always = read("[[sandbox: status=529]]");
    expect([0, 1, 2].map((at) => counter.fault(always!, "m", at)?.kind)).toEqual(["status", "status", "status"]);
  });
});
