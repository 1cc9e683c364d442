import type { Command } from "commander";
import { afterAll, describe, expect, it } from "vitest";

import { buildProgram } from "./program.ts";
import { CliFixture } from "./testing/cli-fixture.ts";
import { FakeTerminal } from "./testing/fake-terminal.ts";

const weir = await CliFixture.create();
afterAll(async () => weir[Symbol.asyncDispose]());
const terminal = new FakeTerminal();
const commands = [...below(buildProgram(weir.context(terminal)))];

/** Every command that does something, with the words that call it. */
function* below(parent: Command, path: readonly string[] = []): Generator<{ words: string[]; command: Command }> {
  for (const command of parent.commands) {
    const words = [...path, command.name()];
    if (command.commands.length === 0) yield { words, command };
    yield* below(command, words);
  }
}

describe("every command", () => {
  it("is there", () => {
    expect(commands.map(({ words }) => words.join(" "))).toEqual([
      "serve",
      "keys create",
      "keys list",
      "keys revoke",
      "keys rotate",
      "budget list",
      "budget set",
      "budget remove",
      "budget raise",
      "budget effective",
      "budget tag",
      "usage",
      "report cost",
      "report session",
      "report sessions",
      "report users",
      "report forecast",
      "report export",
      "reconcile",
      "session list",
      "session resume",
      "claude",
      "bench run",
      "bench compare",
      "doctor",
      "config check",
      "config show",
      "config schema",
      "config init",
      "route explain",
      "managed explain",
      "audit list",
      "audit verify",
      "audit export",
      "audit public-key",
      "audit retain",
    ]);
  });

  it.each(commands)("$words has --json, a description, and --help with examples", async ({ words, command }) => {
    expect(command.options.map(({ long }) => long)).toContain("--json");
    expect(command.description()).not.toBe("");
    const run = await weir.run([...words, "--help"]);
    expect(run).toMatchObject({ exitCode: 0, err: "" });
    expect(run.out).toMatch(new RegExp(`^Usage: weir ${words.join(" ")}`));
    expect(run.out).toMatch(/Examples:\n {2}\$ \S/);
  });

  it.each(commands)("$words has examples that call it with options that exist", async ({ words, command }) => {
    const known = new Set([...command.options.map(({ long }) => long), "--help", "--"]);
    const run = await weir.run([...words, "--help"]);
    const lines = [...run.out.matchAll(/^ {2}\$ (.*?)(?: {2,}#.*)?$/gm)].map(
      ([, line = ""]) => line.split(" | ")[0] ?? "",
    );
    expect(lines.length).toBeGreaterThan(0);
    for (const line of lines) {
      expect(line).toContain(`weir ${words[0]}`);
      // What follows `--` or -p belongs to Claude Code.
      const own = line.split(/ -- | -p | --continue/)[0] ?? "";
      for (const [option] of own.matchAll(/(?<= )--[a-z][a-z0-9-]*/g)) expect(known).toContain(option);
    }
  });
});
