import { describe, expect, it } from "vitest";

import { changedSettings, keepRestartSettings, settingsNeedingRestart } from "./restart.ts";
import type { Config, ConfigInput } from "./schema.ts";
import { ConfigDirectory } from "./testing/config-directory.ts";
import { selfSigned } from "./testing/self-signed.ts";

async function configOf(overrides: ConfigInput): Promise<Config> {
  const { cert, key } = selfSigned({ fromMs: Date.now() - 1e6, toMs: Date.now() + 1e11 });
  await using directory = await ConfigDirectory.create({ "a.crt": cert, "a.key": key });
  const result = await directory.load({ overrides, env: { WEIR_DATA_DIR: "/data" } });
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
  return result.config;
}

describe("which changes need a restart", () => {
  it.each([
    ["the port", { listen: { port: 1 } }, ["listen.port"]],
    ["the data directory", { data_dir: "/other" }, ["data_dir"]],
    ["the database", { store: { max_connections: 7 } }, ["store"]],
    ["the admin port", { admin_listen: { port: 1 } }, ["admin_listen"]],
    ["switching TLS on", { listen: { tls: { cert: "a.crt", key: "a.key" } } }, ["listen.tls"]],
    ["limits", { admission: { key: { requests_per_minute: 5 } } }, []],
    ["budgets", { budgets: [{ scope: "team", window: "day", limit_usd: 1 }] }, []],
  ] satisfies [string, ConfigInput, string[]][])("%s", async (_, change, expected) => {
    expect(settingsNeedingRestart(await configOf({}), await configOf(change))).toEqual(expected);
  });
});

describe("what is in effect after a reload", () => {
  it("is the new configuration with the running values of those settings", async () => {
    const running = await configOf({ log: { level: "info" } });
    const next = await configOf({
      listen: { port: 1, trusted_proxies: ["10.0.0.1"], tls: { cert: "a.crt", key: "a.key" } },
      store: { max_connections: 7 },
      log: { level: "warn" },
    });
    const kept = keepRestartSettings(running, next);
    expect(kept.listen).toEqual({ ...running.listen, trusted_proxies: ["10.0.0.1"] });
    expect(kept.store).toEqual(running.store);
    expect(kept.log.level).toBe("warn");
    expect(settingsNeedingRestart(running, kept)).toEqual([]);
  });
});

describe("which settings changed", () => {
  it("goes into maps and takes lists as one", () => {
    const before = { a: { b: 1, c: [1, 2] }, d: 1, gone: true };
    const after = { a: { b: 2, c: [1, 3] }, d: 1, added: { x: 1 } };
    expect(changedSettings(before, after)).toEqual(["a.b", "a.c", "gone", "added"]);
  });
});
