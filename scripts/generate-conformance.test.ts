import { readFile } from "node:fs/promises";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { conformancePage } from "./generate-conformance.ts";
import { CLIENT_TESTS, UPSTREAM_TESTS } from "./generate/conformance-tests.ts";

const ROOT = path.resolve(import.meta.dirname, "..");

describe("the tests that the conformance matrix names", () => {
  const named = [...Object.entries(UPSTREAM_TESTS), ...Object.entries(CLIENT_TESTS)];

  it.each(named.map(([feature, { file, title }]) => [feature, title, file] as const))(
    "for %s: “%s” is a test in %s",
    async (_, title, file) => {
      const source = await readFile(path.join(ROOT, file), "utf8");
      // Given to `it`, `it.each(…)` or a file's own `run`, as the beginning of a title: variants may go on.
      const isTitle = new RegExp(`(?:\\bit|\\brun|\\))\\(\\s*["\`]${RegExp.escape(title)}`);
      expect(source).toMatch(isTitle);
    },
  );
});

describe("the conformance page", () => {
  const { content } = conformancePage();

  it("has a row for each feature in both tables, and no cell left open", () => {
    const rows = content.split("\n").filter((line) => /^\| \w/.test(line) && !line.startsWith("| feature"));
    expect(rows).toHaveLength(Object.keys(UPSTREAM_TESTS).length * 2);
    for (const row of rows)
      expect(row).toMatch(/^\| [^|]+( \| [✓⚠✗](?: \d+)?)+ \| \[[^\]]+\]\(\.\.\/\.\.\/test\/\S+\) \|$/);
  });

  it("explains every sign that is no plain yes, each note once", () => {
    for (const table of content.split("\n## ").slice(1)) {
      const used = new Set([...table.matchAll(/[✓⚠✗] (\d+)/g)].map(([, number]) => Number(number)));
      const notes = [...table.matchAll(/^(\d+)\. (.+)$/gm)];
      expect(notes.map(([, number]) => Number(number))).toEqual([...used].sort((a, b) => a - b));
      expect(new Set(notes.map(([, , text]) => text)).size).toBe(notes.length);
      expect(table).not.toMatch(/[⚠✗] \|/);
    }
  });
});
