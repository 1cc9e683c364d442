import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { StoreError } from "../store/ports/store-error.ts";
import { CliError } from "./cli-error.ts";
import { CliFixture } from "./testing/cli-fixture.ts";

let weir: CliFixture;
beforeEach(async () => {
  weir = await CliFixture.create();
});
afterEach(async () => weir[Symbol.asyncDispose]());

describe("a command line that is wrong", () => {
  it.each([
    ["serv", "unknown command 'serv'", "Did you mean serve? See `weir --help`."],
    ["keys lst", "unknown command 'lst'", "Did you mean list? See `weir keys --help`."],
    ["usage --form 2026-11-01", "unknown option '--form'", "Did you mean --from? See `weir usage --help`."],
    ["bench --usrs 3", "unknown option '--usrs'", "Did you mean --users? See `weir bench --help`."],
    ["keys create", "the key has no name", "Add --name"],
    ["keys revoke", "missing required argument 'key'", "See `weir keys revoke --help`."],
    ["config check a b", "too many arguments for 'check'", "See `weir config check --help`."],
    ["serve --port 70000", "Write a whole number from 0 to 65535.", "See `weir serve --help`."],
    [
      "config init --profile production",
      "Allowed choices are dev, staging, pre-prod, prod.",
      "See `weir config init --help`.",
    ],
  ])("given `weir %s`, says what is wrong and what was meant, with exit 2", async (line, message, remedy) => {
    const run = await weir.run(line);
    expect(run.exitCode).toBe(2);
    expect(run.out).toBe("");
    expect(run.err).toContain(message);
    expect(run.err).toContain(`fix: ${remedy}`);
  });

  it("given --json, says so as one JSON document on stdout", async () => {
    const run = await weir.run("keys create --nam x --json");
    expect(run.exitCode).toBe(2);
    expect(run.err).toBe("");
    expect(run.json()).toEqual({
      error: {
        code: "usage",
        message: "unknown option '--nam'",
        remedy: "Did you mean --name? See `weir keys create --help`.",
      },
    });
  });

  it("given `weir serve --json`, says so in one line, as it says everything else", async () => {
    weir.serveFailure = new CliError("unavailable", "port 8080 is in use by another program", { remedy: "Stop it." });
    for (const line of ["serve --json", "serve --json --prot 1"]) {
      const run = await weir.run(line);
      expect(run.out.trimEnd().split("\n")).toHaveLength(1);
      expect(run.json()).toHaveProperty("error.code");
    }
  });

  it("given a group without its subcommand, shows the group's help on stderr, with exit 2", async () => {
    const run = await weir.run("keys");
    expect(run).toMatchObject({ exitCode: 2, out: "" });
    expect(run.err).toContain("Usage: weir keys");
  });
});

describe("help and version", () => {
  it("go to stdout, with exit 0", async () => {
    expect(await weir.run("--version")).toMatchObject({ exitCode: 0, out: "1.2.3\n", err: "" });
    for (const line of ["", "--help", "help", "help usage"]) {
      const run = await weir.run(line);
      expect(run).toMatchObject({ exitCode: 0, err: "" });
      expect(run.out).toContain("Usage: weir");
    }
  });

  it("tell the exit codes", async () => {
    expect((await weir.run("--help")).out).toMatch(/0 +done\n +1 +the finding is negative/);
  });
});

describe("a failure", () => {
  it("given a database that does not answer, ends with exit 3 and what to look at", async () => {
    weir.openFailure = new StoreError("unavailable", "connect ECONNREFUSED");
    const run = await weir.run("keys list --json");
    expect(run.exitCode).toBe(3);
    expect(run.json()).toMatchObject({
      error: { code: "unavailable", remedy: expect.stringContaining("weir doctor") },
    });
  });

  it("given an error of another layer that knows its remedy, passes that on", async () => {
    weir.openFailure = Object.assign(new Error("no binaries"), { remedy: "Run npm ci." });
    const run = await weir.run("keys list");
    expect(run).toMatchObject({ exitCode: 3, err: "error: no binaries\n  fix: Run npm ci.\n" });
  });

  it("that nobody expected is called a defect, with exit 70, and its stack only on request", async () => {
    weir.openFailure = new TypeError("x is not a function", { cause: new Error("the cause") });
    const quiet = await weir.run("keys list");
    expect(quiet.exitCode).toBe(70);
    expect(quiet.err).toContain("defect in Weir");
    expect(quiet.err).not.toContain("run.test.ts");
    weir.env["WEIR_DEBUG"] = "1";
    const loud = await weir.run("keys list");
    expect(loud.err).toMatch(/TypeError: x is not a function[\s\S]+caused by: Error: the cause/);
  });

  it("given an invalid configuration, shows each problem with its place, with exit 1", async () => {
    await weir.writeConfig("listen:\n  prot: 1\nlog:\n  level: loud\n");
    const run = await weir.run("keys list");
    expect(run.exitCode).toBe(1);
    expect(run.err).toMatch(/weir\.yaml:2:3: listen\.prot[\s\S]+weir\.yaml:4:10: log\.level/);
    const document = (await weir.run("keys list --json")).json();
    expect(document).toMatchObject({ error: { code: "config_invalid", diagnostics: [{ line: 2 }, { line: 4 }] } });
  });

  it("closes the records that were opened", async () => {
    await weir.run("keys revoke nothing");
    expect(weir.openCount).toBe(0);
    expect((await weir.run("keys list")).terminal.listenerCount).toBe(0);
    expect(weir.openCount).toBe(0);
  });

  it("by Ctrl-C ends the command with exit 130 and closes the records", async () => {
    weir.records.load = () => new Promise(() => {});
    weir.afterOpen = (terminal) => setImmediate(() => terminal.interrupt());
    const run = await weir.run("keys list");
    expect(run).toMatchObject({ exitCode: 130, out: "" });
    expect(weir.openCount).toBe(0);
    expect(run.terminal.listenerCount).toBe(0);
  });

  it("by Ctrl-C while the records are opened ends with exit 130, whatever that broke", async () => {
    weir.beforeOpen = (terminal) => terminal.interrupt();
    expect(await weir.run("keys list")).toMatchObject({ exitCode: 130 });
    weir.openFailure = new Error("a helper was killed");
    expect(await weir.run("keys list")).toMatchObject({ exitCode: 130 });
    expect(weir.openCount).toBe(0);
  });

  it("of `weir serve` is told like any other, and its exit code is passed on", async () => {
    const run = await weir.run("serve --port 0 --host ::1 --profile dev --data-dir d --config c.yaml --json");
    expect(run.exitCode).toBe(0);
    expect(weir.served).toEqual([{ port: 0, host: "::1", profile: "dev", dataDir: "d", config: "c.yaml", json: true }]);
    weir.serveFailure = new CliError("unavailable", "port 8080 is in use", { remedy: "Choose another." });
    expect(await weir.run("serve")).toMatchObject({
      exitCode: 3,
      err: "error: port 8080 is in use\n  fix: Choose another.\n",
    });
  });
});
