import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { afterEach, describe, expect, it } from "vitest";

import { ask, type HttpAnswer, jsonOf } from "../../../test/harness/http-answer.ts";
import { ManualClock } from "../../core/clock.ts";
import { silentLogger } from "../../core/logger.ts";
import type { Identity } from "../../identity/key-ring.ts";
import { ManagedPolicies, type PolicyConfig } from "../../policy/managed/managed-policies.ts";
import { testIdentity } from "../../policy/managed/testing/test-identity.ts";
import { PriceBook } from "../../ledger/prices/price-book.ts";
import { RouteTable } from "../../routing/route-table.ts";
import { testSettings } from "../../upstream/testing/test-settings.ts";
import { Upstream } from "../../upstream/upstream.ts";
import { ControlApi } from "../control-api.ts";
import { isDesktopSession } from "./desktop-session.ts";
import { managedRoutes } from "./managed-routes.ts";

const NOW_MS = Date.parse("2026-11-20T12:00:00Z");
const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0)) await stop();
});

/** The routes on a port, for one caller. */
async function serve(policies: readonly PolicyConfig[], caller: Identity): Promise<string> {
  const upstream = new Upstream(testSettings({ name: "main" }));
  const prices = new PriceBook({ overrides: [], multiplier: 1, date: "2026-11-20" });
  const models = [{ id: "house", label: "House model", description: null, upstreamModel: { main: "h" } }];
  const routes = new RouteTable({ upstreams: [upstream], models, includeBuiltins: true, prices });
  const snapshot = { managed: new ManagedPolicies(policies), routes };
  const state = () => ({ snapshot, origin: "https://weir.example.com", relaysTelemetry: true });
  const api = new ControlApi([managedRoutes({ state, clock: new ManualClock(NOW_MS), version: "1.2.3" })], {
    logger: silentLogger,
  });
  await api.start();
  const server: Server = createServer((request, response) => {
    const call = {
      request,
      response,
      requestId: "req_1",
      clientAddress: "127.0.0.1",
      path: request.url ?? "",
      identity: caller,
    };
    void api.serve(call);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  stops.push(
    () => new Promise((resolve) => server.close(resolve)),
    () => api.stop(),
    () => upstream.connections.destroy(),
  );
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`; // it listens on a port
}

async function bootstrap(policies: readonly PolicyConfig[], caller: Identity): Promise<HttpAnswer> {
  return await ask(`${await serve(policies, caller)}/user/bootstrap`);
}

const POLICIES: PolicyConfig[] = [
  { match: { groups: ["contractors"] }, cli: { availableModels: ["haiku", "house"] }, desktop: {} },
  { match: { email_domain: "example.com" }, cli: { model: "opus" } },
];

describe("GET /managed/settings", () => {
  it("gives each caller the settings of their groups", async () => {
    for (const [caller, settings] of [
      [testIdentity({ groups: ["contractors"], email: "a@example.com" }), POLICIES[0]?.cli],
      [testIdentity({ groups: ["staff"], email: "a@example.com" }), POLICIES[1]?.cli],
    ] as const) {
      const answer = await ask(`${await serve(POLICIES, caller)}/managed/settings`);
      expect(answer.status).toBe(200);
      expect(answer.headers["vary"]).toBe("User-Agent");
      expect(jsonOf(answer)).toMatchObject({ settings });
    }
  });

  it("is a 404 for who matches no policy, in the words that clients read", async () => {
    const answer = await ask(`${await serve(POLICIES, testIdentity({ groups: ["staff"] }))}/managed/settings`);
    expect(answer.status).toBe(404);
    expect(answer.headers).toMatchObject({ "cache-control": "no-store", "x-cc-gateway-version": "1.2.3" });
    expect(jsonOf(answer)).toMatchObject({ type: "error", error: { code: "weir:policy:none" }, request_id: "req_1" });
  });

  it("tells an empty policy from none", async () => {
    const answer = await ask(`${await serve([{ match: {} }], testIdentity({}))}/managed/settings`);
    expect(jsonOf(answer)).toMatchObject({ settings: {} });
  });
});

describe("GET /user/bootstrap", () => {
  it("gives the caller's models and the end of their credential", async () => {
    const caller = testIdentity({ groups: ["contractors"], email: "a@example.com", expiresAtMs: 1_900_000_000_500 });
    const answer = await bootstrap(POLICIES, caller);
    expect(jsonOf(answer)).toMatchObject({
      inferenceModels: [
        { name: "house", labelOverride: "House model" },
        { name: "claude-haiku-5-5", supports1m: true },
        { name: "claude-haiku-4-5" },
      ],
      otlpResourceAttributes: { "enduser.id": "a@example.com", "user.groups": "contractors", "enduser.sub": "usr_1" },
      expiresAt: 1_900_000_000,
    });
  });

  it("holds for an hour where the credential has no end", async () => {
    const answer = await bootstrap([{ match: {}, desktop: {} }], testIdentity({}));
    expect(jsonOf(answer)).toMatchObject({ expiresAt: NOW_MS / 1_000 + 3_600 });
  });

  it.each<[string, readonly PolicyConfig[], RegExp]>([
    ["no policy has a desktop key", [{ match: {} }], /not configured/],
    ["no policy matches", [{ match: { groups: ["x"] }, desktop: {} }], /No managed policy/],
    [
      "the one that matches has none",
      [{ match: { groups: ["x"] }, desktop: {} }, { match: { emails: ["a@b"] } }],
      /does not serve/,
    ],
  ])("is a 404 when %s", async (_, policies, message) => {
    const answer = await bootstrap(policies, testIdentity({ email: "a@b" }));
    expect(answer.status).toBe(404);
    expect(answer.headers["cache-control"]).toBe("no-store");
    expect(jsonOf(answer)).toMatchObject({ error: { message: expect.stringMatching(message) } });
  });
});

describe("isDesktopSession", () => {
  it.each([
    ["claude-cli/2.1.329 (external, claude-desktop)", true],
    ["claude-cli/2.1.329 (external, claude-desktop-3p)", true],
    ["claude-code/2.1.329 (external, local-agent, agent-sdk/1)", true],
    ["claude-cli/2.1.329 (external, cli)", false],
    ["claude-cli/2.1.329 (external, claude-vscode)", false],
    ["claude-code/2.1.329", false],
    ["x (external, claude-desktop)", false],
    [undefined, false],
  ])("%s: %s", (userAgent, expected) => {
    expect(isDesktopSession(userAgent)).toBe(expected);
  });
});
