import { beforeEach, describe, expect, it } from "vitest";

import { type AuditAct, type AuditTrail, AuditUnavailable, INSTALLATION } from "../core/audit-act.ts";
import { silentLogger } from "../core/logger.ts";
import { ProcessActs } from "./process-acts.ts";

let acts: AuditAct[];
const trail: AuditTrail = {
  record: async (act) => {
    acts.push(act);
  },
};
const broken: AuditTrail = { record: (act) => Promise.reject(new AuditUnavailable(act, new Error("gone"))) };
const about = { logger: silentLogger, version: "1.2.3" };
const change = { settings: ["log.level"], needRestart: ["listen.port"] };

beforeEach(() => {
  acts = [];
});

describe("a process", () => {
  it("says when it starts and when it stops, once each", async () => {
    const process = new ProcessActs(trail, about);
    await process.start();
    await process.stop();
    await process.stop();
    expect(acts.map(({ action, organizationId }) => [action, organizationId])).toEqual([
      ["process.start", INSTALLATION],
      ["process.stop", INSTALLATION],
    ]);
    expect(acts[0]).toMatchObject({ actor: "system", after: { version: "1.2.3" } });
  });

  it("does not start where that cannot be written, and says nothing of its stop", async () => {
    const process = new ProcessActs(broken, about);
    await expect(process.start()).rejects.toThrow(AuditUnavailable);
    await process.stop();
  });
});

describe("a reload", () => {
  it("is written down before it takes effect: which settings, not their values", async () => {
    const order: string[] = [];
    const process = new ProcessActs(
      { record: async (act) => void order.push(`${act.action} ${JSON.stringify(act.after)}`) },
      about,
    );
    await process.reload(change, async () => void order.push("applied"));
    expect(order).toEqual([
      expect.stringMatching(/^config.reload {"settings":\["log.level"\],"need_restart":\["listen.port"\]/),
      "applied",
    ]);
  });

  it("does not take effect where it cannot be written", async () => {
    let isApplied = false;
    const apply = async (): Promise<void> => {
      isApplied = true;
    };
    await expect(new ProcessActs(broken, about).reload(change, apply)).rejects.toThrow(AuditUnavailable);
    expect(isApplied).toBe(false);
  });

  it("that failed is said to have failed", async () => {
    const apply = (): Promise<never> => Promise.reject(new Error("no such upstream"));
    await expect(new ProcessActs(trail, about).reload(change, apply)).rejects.toThrow("no such upstream");
    expect(acts.map(({ result }) => result)).toEqual(["done", "failed"]);
  });

  it("of files whose content alone changed, such as a renewed certificate, does not wait for the trail", async () => {
    let isApplied = false;
    await new ProcessActs(broken, about).reload({ settings: [], needRestart: [] }, async () => {
      isApplied = true;
    });
    expect(isApplied).toBe(true);
  });

  it("that was refused is written with places and kinds of mistakes, not with their texts", async () => {
    const diagnostic = {
      severity: "error" as const,
      code: "invalid_value",
      path: "upstreams[0].auth.api_key",
      message: "quotes something",
      fix: "",
      excerpt: "api_key: sk-ant-hidden",
      origin: "weir.yaml",
      file: "weir.yaml",
      line: 1,
      column: 1,
    };
    await new ProcessActs(trail, about).reloadRefused([diagnostic]);
    expect(acts).toMatchObject([
      { result: "refused", after: { findings: [{ code: "invalid_value", path: "upstreams[0].auth.api_key" }] } },
    ]);
    expect(JSON.stringify(acts)).not.toMatch(/sk-ant|quotes/);
  });
});
