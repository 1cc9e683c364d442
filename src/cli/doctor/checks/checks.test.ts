import { describe, expect, it } from "vitest";

import { judgeClocks, judgeDatabase } from "./database.ts";
import { judgeSpace } from "./data-directory.ts";
import { judgeListen } from "./listeners.ts";
import { judgeNode, judgeOpenFiles } from "./runtime.ts";
import { credentialLife, judgeAnswer, judgeCredential, judgeFailure } from "./upstream.ts";

const NOW_MS = Date.parse("2026-11-20T12:00:00Z");
const READY = {
  state: "ready",
  kind: "external",
  address: "db:5432/weir",
  serverVersion: "17.2",
  nowMs: NOW_MS,
  pendingMigrations: [],
  unknownMigrations: [],
} as const;

describe("the check of Node.js", () => {
  it.each([
    ["26.10.0", "ok"],
    ["30.0.0", "ok"],
    ["20.19.2", "fail"],
  ])("judges %s as %s", (version, status) => {
    expect(judgeNode(version).status).toBe(status);
  });
});

describe("the check of open files", () => {
  it.each([
    [1_048_576, "ok"],
    ["unlimited", "ok"],
    [null, "ok"],
    [20_256, "ok"],
    [20_255, "warn"],
    [1024, "warn"],
  ] as const)("judges %s for 10,000 connections as %s", (limit, status) => {
    expect(judgeOpenFiles(limit, { max_connections: 10_000 }).status).toBe(status);
  });
});

describe("the check of space", () => {
  const MIB = 1024 * 1024;
  const journal = {
    segment_bytes: 64 * MIB,
    max_backlog_bytes: 256 * MIB,
    reserve_bytes: 8 * MIB,
    commit_interval_ms: 2,
  };

  it.each([
    [undefined, 2048, "ok"],
    [undefined, 1287, "warn"],
    ["postgres://db/weir", 264, "ok"],
    ["postgres://db/weir", 263, "warn"],
    ["postgres://db/weir", 135, "fail"],
  ] as const)("given postgres_url %s, judges %i MiB free as %s", (postgres_url, freeMib, status) => {
    const store = { max_connections: 5, ...(postgres_url === undefined ? {} : { postgres_url }) };
    expect(judgeSpace({ state: "/data", freeBytes: freeMib * MIB }, { journal, store }).status).toBe(status);
  });
});

describe("the check of the database", () => {
  it("is content with one that is current, or not made yet", () => {
    expect(judgeDatabase(READY)).toMatchObject({
      status: "ok",
      detail: expect.stringContaining("PostgreSQL 17.2, external"),
    });
    expect(judgeDatabase({ state: "absent" }).status).toBe("ok");
  });

  it("warns of migrations to come, and fails on ones of a newer Weir", () => {
    expect(judgeDatabase({ ...READY, pendingMigrations: ["0002"] })).toMatchObject({
      status: "warn",
      detail: expect.stringContaining("1 migration is to be made (0002)"),
    });
    expect(judgeDatabase({ ...READY, unknownMigrations: ["0009"] }).status).toBe("fail");
  });
});

describe("the check of the clock", () => {
  it.each([
    [0, "ok"],
    [-1999, "ok"],
    [2000, "warn"],
    [-59_999, "warn"],
    [60_000, "fail"],
  ])("judges a clock that is %i ms off the database's as %s", (offMs, status) => {
    expect(judgeClocks({ inspection: READY, askedAtMs: NOW_MS + offMs }).status).toBe(status);
  });

  it("says in which direction it is off", () => {
    expect(judgeClocks({ inspection: READY, askedAtMs: NOW_MS - 5000 }).detail).toBe("5 s behind the database's clock");
  });
});

describe("the check of a port", () => {
  it.each([
    [null, "ok", ""],
    ["EADDRINUSE", "fail", "set listen.port"],
    ["EACCES", "fail", "one above 1023"],
    ["EADDRNOTAVAIL", "fail", "listen.host"],
    ["EODD", "fail", "listen.host"],
  ])("given %s: %s", (problem, status, remedy) => {
    const finding = judgeListen({ host: "127.0.0.1", port: 80, problem, setting: "listen" });
    expect(finding).toMatchObject({ status, remedy: expect.stringContaining(remedy) });
  });
});

describe("the check of an upstream", () => {
  it.each([
    [200, true, "ok", "takes the credential"],
    [401, true, "fail", "refuses the credential"],
    [403, true, "fail", "does not allow"],
    [404, true, "warn", "knows no /v1/models"],
    [418, true, "warn", "answers 418"],
    [401, false, "ok", "the credential was not tried"],
    [404, false, "ok", "is reachable"],
    [407, false, "fail", "the proxy"],
    [301, true, "fail", "redirects"],
    [429, true, "warn", "429"],
    [529, false, "warn", "529"],
  ])("given %i with credentials %s: %s", (status, credentials, expected, detail) => {
    const asked = { by: "get", path: "/v1/models?limit=1" } as const;
    const finding = judgeAnswer({ status, tookMs: 12.3 }, { where: "https://api", asked, credentials, life: null });
    expect(finding).toMatchObject({ status: expected, detail: expect.stringContaining(detail) });
  });

  it.each([
    [200, "ok", "takes the credential (12 ms); it ends in 5 min"],
    [403, "warn", "does not count tokens for claude-x (403)"],
    [404, "warn", "does not count tokens for claude-x (404)"],
    [401, "fail", "refuses the credential"],
  ])("given %i when tokens were to be counted: %s", (status, expected, detail) => {
    const asked = { by: "count_tokens", model: "claude-x" } as const;
    const question = { where: "https://api", asked, credentials: true, life: "it ends in 5 min" };
    const finding = judgeAnswer({ status, tookMs: 12.3 }, question);
    expect(finding).toMatchObject({ status: expected, detail: expect.stringContaining(detail) });
  });

  it.each([
    [404, "ok", "is reachable"],
    [401, "fail", "refuses the credential"],
    [500, "warn", "500"],
  ])("given %i when there is nothing to ask for: %s", (status, expected, detail) => {
    const question = { where: "https://api", asked: null, credentials: true, life: null };
    const finding = judgeAnswer({ status, tookMs: 12.3 }, question);
    expect(finding).toMatchObject({ status: expected, detail: expect.stringContaining(detail) });
  });

  it("is failed by a credential that is not to be had, in its source's own words", () => {
    const status = { state: "failed", obtainedAtMs: null, expiresAtMs: null, nextAttemptAtMs: null } as const;
    const failure = { reason: "role not assumable", sinceMs: NOW_MS, attempts: 1 };
    expect(judgeCredential({ ...status, failure })).toMatchObject({
      status: "fail",
      detail: expect.stringContaining("role not assumable"),
    });
    expect(judgeCredential({ ...status, state: "pending", failure: null })?.status).toBe("fail");
    expect(judgeCredential({ ...status, state: "stale", failure })).toBeNull();
  });

  it("says how long a credential lives that ends", () => {
    const status = { state: "ready", obtainedAtMs: 0, nextAttemptAtMs: null, failure: null } as const;
    expect(credentialLife({ ...status, expiresAtMs: NOW_MS + 3_540_000 }, NOW_MS)).toContain("ends in 59 min");
    expect(credentialLife({ ...status, expiresAtMs: null }, NOW_MS)).toBeNull();
  });

  it.each([
    ["SELF_SIGNED_CERT_IN_CHAIN", "network.tls.ca"],
    ["CERT_HAS_EXPIRED", "network.tls.ca"],
    ["ENOTFOUND", "DNS"],
    ["UND_ERR_CONNECT_TIMEOUT", "firewall"],
    ["WEIR_ADDRESS_REFUSED", "allow_private_upstreams"],
    ["ECONNRESET", "Check base_url"],
  ])("given a connection that fails with %s, says what to look at", (code, remedy) => {
    const finding = judgeFailure(Object.assign(new Error("x"), { code }), "https://api");
    expect(finding).toMatchObject({ status: "fail", remedy: expect.stringContaining(remedy) });
  });
});
