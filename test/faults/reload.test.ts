/** What a running Weir takes of a changed configuration, and what it tells whom when it does not. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ask, jsonOf } from "../harness/http-answer.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

let weir: WeirProcess;

beforeAll(async () => {
  weir = await WeirProcess.start({ config: { overload: overload(40) } });
});
afterAll(() => weir.dispose());

/** A limit that stays where it is, however late this machine's event loop runs. */
function overload(places: number): object {
  return { limit: { initial: places, min: places, max: places } };
}

interface RoutingPage {
  readonly overload: { readonly limit: number };
}

async function limit(): Promise<number> {
  const answer = await ask(`${weir.adminUrl}/v1/routing`);
  return (jsonOf(answer) as RoutingPage).overload.limit; // the page's own form
}

describe("a changed configuration", () => {
  it("changes how the process protects itself without a restart", async () => {
    expect(await limit()).toBe(40);
    const { pid } = weir;
    await weir.configure({ config: { overload: overload(70) } });

    await eventually("the new limit is in force", async () => (await limit()) === 70);
    expect(weir.pid).toBe(pid);
  });

  it("that is refused is no secret to anybody, but its file and line are for operators", async () => {
    await weir.configure({ config: { overload: { limit: { initial: "many" } } } });
    const status = await eventually("the refusal is known", async () => {
      const answer = await ask(`${weir.adminUrl}/status`);
      const page = jsonOf(answer) as { config_error: unknown }; // the page's own form
      return page.config_error === null ? null : answer.body.toString();
    });
    const health = await ask(`${weir.url}/health`);

    expect(status).toContain("weir.yaml");
    expect(health.status).toBe(200);
    expect(jsonOf(health)).toMatchObject({ config_error: expect.stringContaining("was refused") });
    expect(health.body.toString()).not.toContain("weir.yaml");
    expect(health.body.toString()).not.toContain(weir.dataDir);
    expect(await limit()).toBe(70);
  });
});

describe("a Weir none of whose upstreams has a credential", () => {
  it("lives and is not ready", async () => {
    const lonely = await WeirProcess.start({
      config: {
        upstreams: [
          {
            provider: "vertex",
            region: "us-east5",
            project_id: "p",
            auth: { service_account_json: "/nowhere/service-account.json" },
          },
        ],
      },
    });
    try {
      const ready = await ask(`${lonely.url}/readyz`);
      expect(ready.status).toBe(503);
      expect(jsonOf(ready)).toMatchObject({
        failures: [{ check: "credentials", reason: "no upstream has a valid credential (vertex)" }],
      });
      expect((await ask(`${lonely.url}/healthz`)).status).toBe(200);
    } finally {
      await lonely.dispose();
    }
  });
});
