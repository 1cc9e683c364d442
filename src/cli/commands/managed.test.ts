import { writeFile } from "node:fs/promises";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { CliFixture } from "../testing/cli-fixture.ts";

const CONFIG = `
listen: { host: 127.0.0.1, public_url: "https://weir.example.com" }
upstreams: [{ provider: sandbox }]
managed:
  policies:
    - match: { groups: [contractors], email_domain: example.com }
      cli: { availableModels: [haiku], permissions: { deny: [Bash] } }
    - match: { teams: [platform] }
      cli: { model: opus }
      desktop: { disableAutoUpdates: true }
`;

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
  await writeFile(path.join(weir.directory, "weir.yaml"), CONFIG);
});
afterEach(async () => weir[Symbol.asyncDispose]());

describe("weir managed explain", () => {
  it("says in words which policy set what", async () => {
    const run = await weir.run("managed explain --groups staff,contractors --email a@example.com");
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).toContain("Policy: managed.policies[0]\nModels: haiku\nChecksum: sha256:");
    expect(run.out).toContain('  permissions.deny = "Bash"\n      managed.policies[0]\n');
    expect(run.out).toContain("not served");
  });

  it("gives --json the document as clients get it, and its values in fields", async () => {
    const run = await weir.run("managed explain --team platform --json");
    expect(run.json()).toMatchObject({
      policy: "managed.policies[1]",
      base: null,
      models: null,
      settings: { model: "opus" },
      desktop: { disableAutoUpdates: true },
      values: [{ path: ["model"], value: "opus", set_by: ["managed.policies[1]"], instead_of: [] }],
      desktop_values: [{ path: ["disableAutoUpdates"], value: true, set_by: ["managed.policies[1]"], instead_of: [] }],
    });
  });

  it("exits with 1 when nothing matches", async () => {
    const run = await weir.run("managed explain --groups contractors");
    expect(run.exitCode).toBe(1);
    expect(run.out).toMatch(/^No policy matches/);
    expect((await weir.run("managed explain --json")).json()).toMatchObject({ policy: null });
  });
});
