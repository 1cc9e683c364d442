import { describe, expect, it } from "vitest";

import type { HealthSignal } from "./signal.ts";
import { failureWords, judge } from "./verdict.ts";

function status(code: number): HealthSignal {
  return { kind: "status", status: code, retryAfterMs: null };
}

function inBand(errorType: string): HealthSignal {
  return { kind: "in_band_error", errorType, retryAfterMs: null };
}

describe("what a signal means for health", () => {
  it.each<[string, HealthSignal, string, string]>([
    ["an answer", { kind: "ok", latencyMs: 5 }, "success", "upstream"],
    ["a probe's answer", { kind: "probe_ok" }, "success", "upstream"],
    ["the caller's own fault", status(400), "success", "upstream"],
    ["a request that is too large", status(413), "success", "upstream"],
    ["an invalid request, in the stream", inBand("invalid_request_error"), "success", "upstream"],
    ["a client that left", { kind: "client_gone" }, "none", "model"],
    ["the exchange's own time running out", { kind: "timeout", phase: "total" }, "none", "model"],
    ["a quota", status(429), "rate_limited", "model"],
    ["a quota, in the stream", inBand("rate_limit_error"), "rate_limited", "model"],
    ["a server error", status(500), "failure", "upstream"],
    ["a bad gateway", status(502), "failure", "upstream"],
    ["a redirect", status(307), "failure", "upstream"],
    ["an unknown error in the stream", inBand("brand_new_error"), "failure", "upstream"],
    ["an overloaded model", status(529), "failure", "model"],
    ["an overloaded model, in the stream", inBand("overloaded_error"), "failure", "model"],
    ["a model that is not there", status(404), "failure", "model"],
    ["a model that is not granted", status(403), "failure", "model"],
    ["what is not implemented", status(501), "failure", "model"],
    ["a refused credential", status(401), "failure", "upstream"],
    ["no credential", { kind: "credential" }, "failure", "upstream"],
    ["no connection", { kind: "connect_error", detail: "ECONNREFUSED" }, "failure", "upstream"],
    ["no connection in time", { kind: "timeout", phase: "connect" }, "failure", "upstream"],
    ["silence", { kind: "timeout", phase: "first_byte" }, "failure", "upstream"],
    ["an answer that breaks off", { kind: "cut" }, "failure", "upstream"],
    ["a failed probe", { kind: "probe_failed", detail: "503" }, "failure", "upstream"],
  ])("%s", (_, signal, effect, scope) => {
    expect(judge(signal)).toMatchObject({ effect, scope });
  });

  it("tells a refused connection, a time-out and a fault that stays from one that passes", () => {
    expect(judge({ kind: "connect_error", detail: null }).severity).toBe("connect");
    expect(judge({ kind: "timeout", phase: "connect" }).severity).toBe("connect");
    expect(judge({ kind: "timeout", phase: "idle" }).severity).toBe("timeout");
    expect(judge(status(401)).severity).toBe("hard");
    expect(judge(status(503)).severity).toBe("transient");
  });
});

describe("a failure in words", () => {
  it.each<[HealthSignal, string]>([
    [status(503), "status 503"],
    [inBand("overloaded_error"), "overloaded_error in the stream"],
    [{ kind: "connect_error", detail: "ECONNREFUSED" }, "no connection (ECONNREFUSED)"],
    [{ kind: "connect_error", detail: null }, "no connection"],
    [{ kind: "timeout", phase: "first_byte" }, "no first byte in time"],
    [{ kind: "cut" }, "the answer broke off"],
    [{ kind: "credential" }, "no credential to send"],
    [{ kind: "probe_failed", detail: "status 500" }, "probe failed (status 500)"],
  ])("%j", (signal, words) => {
    expect(failureWords(signal)).toBe(words);
  });

  it("lets nothing of an upstream's text through that could break a line, nor more than 80 characters", () => {
    const words = failureWords(inBand(`x\r\nset-cookie: ü${"y".repeat(200)}`));

    expect(words).toMatch(/^[\x20-\x7e]+$/);
    expect(words.length).toBeLessThan(100);
  });
});
