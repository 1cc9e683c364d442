import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it } from "vitest";
import { z } from "zod";

import { WeirError } from "../core/weir-error.ts";
import { ControlApi, type ControlRoutes } from "./control-api.ts";

const logged: unknown[] = [];
const logger = {
  debug: () => {},
  info: () => {},
  warn: () => {},
  error: (facts: object) => void logged.push(facts),
};
let server: Server | null = null;
let api: ControlApi | null = null;

const routes: ControlRoutes = (app) => {
  app.get("/v1/thing", (request) => ({ from: request.call.clientAddress }));
  app.post("/v1/thing", { schema: { body: z.object({ name: z.string().min(1) }) } }, (request) => request.body);
  app.get("/v1/refused", () => {
    throw new WeirError("weir:auth:missing", "No key was sent.");
  });
  app.get("/v1/broken", () => {
    throw new Error("a secret detail");
  });
};

async function start(): Promise<string> {
  api = new ControlApi([routes], { logger });
  await api.start();
  const handler = api;
  server = createServer((request, response) => {
    const path = (request.url ?? "/").replace(/^\/base/, "");
    void handler.serve({ request, response, path, requestId: "req_1", clientAddress: "192.0.2.7", identity: null });
  });
  await new Promise<void>((resolve) => server?.listen(0, "127.0.0.1", resolve));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
}

afterEach(async () => {
  server?.closeAllConnections();
  await new Promise((resolve) => server?.close(resolve) ?? resolve(null));
  await api?.stop();
});

describe("the control API", () => {
  it("serves routes below any base prefix, tells them who calls, and names the request", async () => {
    const url = await start();
    const answer = await fetch(`${url}/base/v1/thing`);
    expect(await answer.json()).toEqual({ from: "192.0.2.7" });
    expect(answer.headers.get("request-id")).toBe("req_1");
  });

  it("names the field that is wrong, in the Messages envelope", async () => {
    const url = await start();
    const body = JSON.stringify({ name: "" });
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${url}/v1/thing`, { method: "POST", headers, body });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      type: "error",
      error: { type: "invalid_request_error", message: expect.stringContaining("name") },
      request_id: "req_1",
    });
  });

  it.each([
    ["/v1/nothing", 404, "not_found_error"],
    ["/v1/refused", 401, "authentication_error"],
    ["/v1/broken", 500, "api_error"],
  ])("answers %s with %i, telling nothing of its inside", async (path, status, type) => {
    const url = await start();
    const answer = await fetch(url + path);
    const text = await answer.text();
    expect(answer.status).toBe(status);
    expect(JSON.parse(text)).toMatchObject({ error: { type } });
    expect(text).not.toContain("secret");
  });

  it("logs what broke", async () => {
    const url = await start();
    await (await fetch(`${url}/v1/broken`)).text();
    expect(JSON.stringify(logged)).toContain("a secret detail");
  });
});
