/** The table of clouds: each starts, accepts a right request, and has an entry that weir.yaml takes. */
import { describe, expect, it } from "vitest";

import { loadText } from "../../../src/config/testing/config-directory.ts";
import { ask } from "../http-answer.ts";
import { CLOUD_MODEL, CLOUDS, weirConfig } from "./clouds.ts";
import { directRequest } from "./direct-request.ts";

describe.each(CLOUDS)("$kind in the table", (kind) => {
  it("accepts a right request and finds nothing wrong with it", async () => {
    const running = await kind.start();
    try {
      const { url, headers, body } = await directRequest(running, { isStream: true });
      expect(await ask(url, { headers, body })).toMatchObject({ status: 200, isWhole: true });
      expect(running.server.problems).toEqual([]);
    } finally {
      await running.stop();
    }
  });

  it("has an entry of weir.yaml that the configuration takes, with the address of one's choice", async () => {
    const running = await kind.start();
    try {
      const part = kind.configYaml(running, { name: "first", baseUrl: "http://127.0.0.1:9" });
      expect(part.upstream["base_url"]).toMatch(/^http:\/\/127\.0\.0\.1:9/);
      const { config, env } = weirConfig([part]);
      const result = await loadText(JSON.stringify(config), { env });
      expect(result.ok ? [] : result.diagnostics).toEqual([]);
    } finally {
      await running.stop();
    }
  });
});

describe("the configuration of several clouds", () => {
  it("keeps their order, and names each one's id of a model once", () => {
    const part = (name: string, id: string) => ({
      upstream: { name },
      env: { [name]: "1" },
      models: { [CLOUD_MODEL]: id },
    });
    expect(weirConfig([part("a", "gpt"), part("b", "local")])).toEqual({
      config: {
        upstreams: [{ name: "a" }, { name: "b" }],
        models: [{ id: CLOUD_MODEL, upstream_model: { a: "gpt", b: "local" } }],
      },
      env: { a: "1", b: "1" },
    });
  });
});
