import { readFile, writeFile } from "node:fs/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { parse } from "yaml";

import { PROFILE_NAMES } from "../../config/schema.ts";
import { CliFixture } from "../testing/cli-fixture.ts";

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
});
afterEach(async () => weir[Symbol.asyncDispose]());

describe("weir config check", () => {
  it("says that a configuration is valid, and what it was read from", async () => {
    expect(await weir.run("config check")).toMatchObject({
      exitCode: 0,
      out: "valid: profile dev (no file, defaults only)\n",
      err: "",
    });
    await weir.writeConfig("profile: staging\nlisten: { host: 127.0.0.1 }\n");
    const run = await weir.run("config check");
    expect(run).toMatchObject({ exitCode: 0, out: expect.stringContaining(`valid: profile staging`) });
    expect(run.out).toContain(weir.file("weir.yaml"));
  });

  it("says everything that is wrong, where, why and how to mend it, with exit 1", async () => {
    await weir.writeConfig("listen:\n  prot: 8080\nlog:\n  level: loud\n");
    const run = await weir.run("config check");
    expect(run).toMatchObject({ exitCode: 1, err: "" });
    expect(run.out).toMatch(/weir\.yaml:2:3: listen\.prot[\s\S]+2 \| {3}prot: [\s\S]+\^[\s\S]+fix: .*port/);
    expect(run.out).toContain("not valid: 2 errors");
    expect((await weir.run("config check --json")).json()).toMatchObject({
      ok: false,
      profile: null,
      files: [weir.file("weir.yaml")],
      diagnostics: [
        { severity: "error", code: "unknown_key", path: "listen.prot", line: 2, column: 3 },
        { severity: "error", path: "log.level", line: 4 },
      ],
    });
  });

  it("takes the file as argument or option, and a missing one is exit 3", async () => {
    await writeFile(weir.file("other.yaml"), "profile: dev\n");
    expect((await weir.run("config check other.yaml")).exitCode).toBe(0);
    expect((await weir.run("config check --config other.yaml")).exitCode).toBe(0);
    expect((await weir.run("config check other.yaml --config other.yaml")).exitCode).toBe(2);
    expect(await weir.run("config check nowhere.yaml")).toMatchObject({
      exitCode: 3,
      out: expect.stringContaining("nowhere.yaml does not exist"),
    });
  });

  it("lets warnings pass unless --strict", async () => {
    await weir.writeConfig("security:\n  auth: 'off'\n");
    const run = await weir.run("config check");
    expect(run.exitCode).toBe(0);
    expect(run.out).toMatch(/warning\[[\s\S]+valid: profile dev, 1 warning/);
    expect((await weir.run("config check --strict")).exitCode).toBe(1);
  });

  it("judges by another profile on request", async () => {
    expect(await weir.run("config check --profile prod")).toMatchObject({ exitCode: 1 });
  });
});

describe("weir config show", () => {
  beforeEach(async () => {
    weir.env["PG_PASSWORD"] = "hunter2hunter2";
    weir.env["WEIR_PORT"] = "9000";
    await weir.writeConfig(
      "store:\n  postgres_url: postgres://weir:${PG_PASSWORD}@db/weir\nupstreams:\n  - provider: anthropic\n    auth:\n      api_key: ${PG_PASSWORD}\n",
    );
  });

  it("shows what is in effect as YAML, secrets hidden", async () => {
    const run = await weir.run("config show");
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).not.toContain("hunter2");
    expect(run.out.split("\n")[0]).toBe(`# Profile dev; from ${weir.file("weir.yaml")}.`);
    expect(parse(run.out)).toMatchObject({
      profile: "dev",
      listen: { port: 9000 },
      store: { postgres_url: "postgres://[redacted]@db/weir" },
      upstreams: [{ auth: { api_key: "[redacted]" } }],
    });
  });

  it("shows who says each setting on request", async () => {
    const { out } = await weir.run("config show --origin");
    expect(out).not.toContain("hunter2");
    expect(out).toMatch(/^listen\.port +9000 +environment variable WEIR_PORT$/m);
    expect(out).toMatch(/^store\.postgres_url +"postgres:.*" +.*weir\.yaml:2$/m);
    expect(out).toMatch(/^limits\.max_json_depth +128 +built-in default$/m);
    expect(out).toMatch(/^log\.format +"pretty" +profile dev$/m);
  });

  it("gives --json the same, with origins on request", async () => {
    const run = await weir.run("config show --json --origin");
    expect(run.out).not.toContain("hunter2");
    expect(run.json()).toMatchObject({
      profile: "dev",
      config: { listen: { port: 9000 } },
      origins: { "listen.port": "environment variable WEIR_PORT" },
    });
    expect((await weir.run("config show --json")).json()).not.toHaveProperty("origins");
  });

  it("given an invalid configuration, says what is wrong, with exit 1", async () => {
    await weir.writeConfig("listne: {}\n");
    expect(await weir.run("config show")).toMatchObject({
      exitCode: 1,
      out: "",
      err: expect.stringContaining("weir.yaml:1:"),
    });
  });
});

describe("weir config schema", () => {
  it("prints a JSON Schema, with and without --json", async () => {
    const run = await weir.run("config schema");
    expect(run.exitCode).toBe(0);
    expect(run.json()).toMatchObject({ $schema: "https://json-schema.org/draft/2020-12/schema", type: "object" });
    expect((await weir.run("config schema --json")).out).toBe(run.out);
  });
});

describe("weir config init", () => {
  it.each(PROFILE_NAMES)(
    "given the %s profile, writes a file that is valid once its variables are set",
    async (profile) => {
      const run = await weir.run(`config init --profile ${profile} --json`);
      expect(run.exitCode).toBe(0);
      const { file, variables } = run.json();
      expect(file).toBe(weir.file("weir.yaml"));
      // The document's shape is what this test is about.
      for (const name of variables as string[]) {
        weir.env[name] = name.endsWith("URL") ? "postgres://db/weir" : "qL7c0Vh2mR9xT4wB8nK1sZ6yD3fG5jP0";
      }
      expect(await weir.run("config check")).toMatchObject({
        exitCode: 0,
        out: expect.stringContaining(`valid: profile ${profile}`),
      });
    },
  );

  it("says what to set and what to do next", async () => {
    const { out } = await weir.run("config init --profile prod etc.yaml");
    expect(out).toContain(`Wrote ${weir.file("etc.yaml")} for the prod profile.\n`);
    expect(out).toContain("WEIR_POSTGRES_URL");
    expect(out).toContain("Next: `weir config check etc.yaml`, then `weir serve --config etc.yaml`.\n");
  });

  it("never replaces a file unless told to", async () => {
    await weir.writeConfig("mine");
    const refused = await weir.run("config init");
    expect(refused).toMatchObject({ exitCode: 2, err: expect.stringContaining("Add --force to replace it") });
    expect(await readFile(weir.file("weir.yaml"), "utf8")).toBe("mine");
    expect((await weir.run("config init --force")).exitCode).toBe(0);
    expect(await readFile(weir.file("weir.yaml"), "utf8")).toContain("profile: dev");
  });

  it("given a directory that does not exist, says so, with exit 3", async () => {
    expect(await weir.run("config init nowhere/weir.yaml")).toMatchObject({
      exitCode: 3,
      err: expect.stringContaining("cannot be written (ENOENT)"),
    });
  });
});
