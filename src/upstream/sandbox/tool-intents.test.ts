import { describe, expect, it } from "vitest";

import { findIntents, searchQuery } from "./tool-intents.ts";

const shell = (command: string): object => ({ kind: "shell", command });

describe("findIntents", () => {
  it.each([
    ["Run `echo hi` and tell me the output", [shell("echo hi")]],
    ["Please execute the command `git status` first, then run `ls -la`", [shell("git status"), shell("ls -la")]],
    ["Run echo hello and report what it printed", [shell("echo hello")]],
    ["Run the command: pwd", [shell("pwd")]],
    ["Use the Bash tool to echo done.", [shell("echo done")]],
    ["Do this:\n```bash\nmake test\n```", [shell("make test")]],
    ["Read the file package.json and summarize it", [{ kind: "read", path: "package.json" }]],
    ["read file Makefile", [{ kind: "read", path: "Makefile" }]],
    ["Open `/etc/hosts`", [{ kind: "read", path: "/etc/hosts" }]],
    ["Write 'hello' to notes/a.txt", [{ kind: "write", path: "notes/a.txt", content: "hello" }]],
    ["Fetch https://example.com/page.", [{ kind: "fetch", url: "https://example.com/page" }]],
    ["Search the web for undici releases.", [{ kind: "search", query: "undici releases" }]],
  ])("finds in %j %j", (prompt, intents) => {
    expect(findIntents(prompt)).toEqual(intents);
  });

  it.each([
    "How do I run tests in Rust?",
    "Write a poem about the sea",
    "Explain what a subprocess is",
    "Run the numbers for me",
    "I read a book yesterday",
  ])("finds nothing to call a tool for in %j", (prompt) => {
    expect(findIntents(prompt)).toEqual([]);
  });

  it("leaves everything to the subagent when one is wanted, whose task asks for no further one", () => {
    const [intent, ...others] = findIntents("Use a subagent to run `echo sub` and report what it printed");
    expect(others).toEqual([]);
    expect(intent).toEqual({ kind: "subagent", task: "Run `echo sub` and report what it printed" });
    expect(findIntents("Run `echo sub` and report what it printed")).toEqual([shell("echo sub")]);
  });

  it("never gives a task that starts a subagent itself", () => {
    const [intent] = findIntents("Launch a general-purpose agent that asks a subagent to read a.txt");
    expect(intent?.kind).toBe("subagent");
    if (intent?.kind === "subagent") expect(findIntents(intent.task)[0]?.kind).toBe("read");
  });
});

describe("searchQuery", () => {
  it("takes a question about something current for a search", () => {
    expect(searchQuery("What is the latest release of Node?")).toBe("What is the latest release of Node");
    expect(searchQuery("What is a release?")).toBeNull();
  });
});
