import { createServer } from "node:net";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { connectionFailure, probeKey, probeWeir } from "./probe-weir.ts";
import { FakeWeir } from "./testing/fake-weir.ts";

let server: FakeWeir;
beforeEach(async () => {
  server = await FakeWeir.start();
});
afterEach(async () => server[Symbol.asyncDispose]());

describe("asking whether Weir is there", () => {
  it("tells a ready one from one that says why it is not", async () => {
    expect(await probeWeir(server.url)).toEqual({ state: "ready" });
    const failures = [{ check: "database", reason: "away" }];
    server.answers["/readyz"] = { status: 503, body: { status: "not_ready", failures } };
    expect(await probeWeir(server.url)).toEqual({ state: "not_ready", failures });
  });

  it.each([
    [404, "not found"],
    [200, "<html>"],
    [200, { status: "up" }],
    [301, { status: "ready" }.status],
  ])("takes an answer of %i %j for another program's", async (status, body) => {
    server.answers["/readyz"] = { status, body };
    expect(await probeWeir(server.url)).toEqual({ state: "not_weir", status });
  });

  it("says that nothing listens, also on ports that browsers refuse", async () => {
    expect(await probeWeir("http://127.0.0.1:6000")).toEqual({
      state: "unreachable",
      reason: "nothing listens there",
      isRefused: true,
    });
  });

  it("says that nothing listens at a name with several addresses", async () => {
    expect(await probeWeir("http://localhost:6000")).toMatchObject({
      reason: "nothing listens there",
      isRefused: true,
    });
  });

  it("does not wait for ever for a server that says nothing", async () => {
    const silent = createServer();
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const address = silent.address();
    const port = typeof address === "object" ? address?.port : 0;
    const sockets = new Set<{ destroy(): void }>();
    silent.on("connection", (socket) => sockets.add(socket));
    expect(await probeWeir(`http://127.0.0.1:${port}`, 100)).toMatchObject({
      state: "unreachable",
      reason: "no answer in time",
    });
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });
});

describe("asking whether Weir takes a key", () => {
  it("gives Weir's own reason for a refusal, and nothing for any other answer", async () => {
    expect(await probeKey(server.url, "k")).toEqual({ refusal: null });
    server.answers["/v1/models"] = { status: 401, body: { error: { message: "This key expired." } } };
    expect(await probeKey(server.url, "k")).toEqual({ refusal: "This key expired." });
    server.answers["/v1/models"] = { status: 401, body: "no" };
    expect(await probeKey(server.url, "k")).toEqual({ refusal: "it is not valid" });
    server.answers["/v1/models"] = { status: 500, body: "no" };
    expect(await probeKey(server.url, "k")).toEqual({ refusal: null });
    expect(await probeKey("http://127.0.0.1:1", "k")).toEqual({ refusal: null });
  });
});

describe("a failed connection in words", () => {
  it("comes from the cause's code, and keeps what it does not know", () => {
    const caused = new TypeError("fetch failed", {
      cause: Object.assign(new Error("x"), { code: "CERT_HAS_EXPIRED" }),
    });
    expect(connectionFailure(caused)).toEqual({ code: "CERT_HAS_EXPIRED", text: "its certificate has expired" });
    const odd = Object.assign(new Error("odd"), { code: "EODD" });
    expect(connectionFailure(odd)).toEqual({ code: "EODD", text: "odd (EODD)" });
    expect(connectionFailure(new Error("plain"))).toEqual({ code: "UNKNOWN", text: "plain" });
    expect(connectionFailure("text")).toEqual({ code: "UNKNOWN", text: "text" });
  });
});
