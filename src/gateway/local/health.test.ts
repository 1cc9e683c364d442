import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { startTestGateway, type TestGateway } from "../../../test/harness/gateway.ts";
import { ask, jsonOf } from "../../../test/harness/http-answer.ts";

describe("health", () => {
  let gateway: TestGateway;
  let failures: { check: string; reason: string }[] = [];

  beforeAll(async () => {
    gateway = await startTestGateway({ upstreams: [{ baseUrl: "http://127.0.0.1:9" }] });
    gateway.services.health.failures = () => failures;
  });

  afterAll(async () => {
    await gateway.stop();
  });

  it.each([
    ["/healthz", { status: "ok" }],
    ["/readyz", { status: "ready", failures: [] }],
    ["/health", { status: "healthy", version: "test", failures: [] }],
    ["/api/claude/health", { status: "healthy", version: "test", failures: [] }],
  ])("GET %s while all is well", async (path, document) => {
    failures = [];
    const answer = await ask(gateway.url + path);

    expect([answer.status, jsonOf(answer)]).toEqual([200, document]);
    expect(answer.headers["cache-control"]).toBe("no-store");
  });

  it.each([
    ["/healthz", 200, { status: "ok" }],
    ["/readyz", 503, { status: "not_ready" }],
    ["/health", 503, { status: "unhealthy" }],
  ])("GET %s while a check fails: %d", async (path, status, document) => {
    failures = [{ check: "journal", reason: "disk_full" }];
    const answer = await ask(gateway.url + path);

    expect(answer.status).toBe(status);
    expect(jsonOf(answer)).toMatchObject(path === "/healthz" ? document : { ...document, failures });
  });

  it("answers HEAD with the same head and no body", async () => {
    failures = [];
    const answer = await ask(`${gateway.url}/healthz`, { method: "HEAD" });

    expect([answer.status, answer.body.length, answer.headers["content-length"]]).toEqual([200, 0, "15"]);
  });

  it.each(["POST", "DELETE"])("does not take %s", async (method) => {
    const answer = await ask(`${gateway.url}/healthz`, { method });

    expect([answer.status, answer.headers["allow"]]).toEqual([405, "GET, HEAD"]);
  });
});
