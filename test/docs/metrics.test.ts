/** What the documents say about metrics, against the page of a running Weir. */
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import path from "node:path";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { requires } from "../harness/requires.ts";
import { WeirProcess } from "../harness/weir-process.ts";
import { readPage, ROOT } from "./markdown.ts";

const ALERTS = path.join(ROOT, "examples", "prometheus-alerts.yml");
const promtool = requires("promtool", { command: "apt-get install -y prometheus" });

let weir: WeirProcess;
let metrics = "";

beforeAll(async () => {
  weir = await WeirProcess.start();
  for (const stream of [true, false]) {
    const response = await fetch(`${weir.url}/v1/messages`, {
      method: "POST",
      headers: { "x-api-key": weir.key, "content-type": "application/json" },
      body: JSON.stringify({
        model: "claude-haiku-4-5",
        max_tokens: 50,
        stream,
        messages: [{ role: "user", content: stream ? "Hello" : "[[sandbox: status=500]] Hello" }],
      }),
    });
    await response.text();
  }
  metrics = await weir.metrics();
});

afterAll(async () => weir.dispose());

describe("docs/guides/operations.md", () => {
  it("names every metric of Weir's own, and none that Weir does not have", () => {
    const served = [...metrics.matchAll(/^# TYPE ((?:weir|claude)_\w+)/gm)].map(([, name = ""]) => name);
    const told = [...readPage("docs/guides/operations.md").matchAll(/`((?:weir|claude)_\w+)/g)].map(
      ([, name = ""]) => name,
    );
    expect(served.length).toBeGreaterThan(10);
    expect([...new Set(told)].sort()).toEqual([...new Set(served)].sort());
  });
});

describe("examples/prometheus-alerts.yml", () => {
  it("asks only for metrics that Weir has, once it has served and refused something", () => {
    const asked = readFileSync(ALERTS, "utf8").match(/\b(?:weir|claude|nodejs|process)_\w+/g) ?? [];
    expect(asked.length).toBeGreaterThan(5);
    expect([...new Set(asked)].filter((name) => !new RegExp(`^${name}[ {]`, "m").test(metrics))).toEqual([]);
  });
});

describe.skipIf(promtool.missing)(promtool.title("promtool"), () => {
  it("finds nothing wrong with Weir's metrics", () => {
    const { stdout, stderr } = spawnSync("promtool", ["check", "metrics"], { input: metrics, encoding: "utf8" });
    // prom-client has its own names for the process, which promtool does not all like.
    const complaints = `${stdout}${stderr}`.split("\n").filter((line) => line !== "" && !line.startsWith("nodejs_"));
    expect(complaints).toEqual([]);
  });

  it("takes the alerts", () => {
    const { status, stderr } = spawnSync("promtool", ["check", "rules", ALERTS], { encoding: "utf8" });
    expect({ status, stderr }).toMatchObject({ status: 0 });
  });
});
