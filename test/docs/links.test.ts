import { existsSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { anchorsOf, pages, proseOf, ROOT } from "./markdown.ts";

/** Written by the benchmark on a machine of its own, and so not there in every state of the tree. */
const MADE_ELSEWHERE = new Set(["docs/performance.md"]);

describe("the documents", () => {
  it.each(pages())("%s links only to what is there", (page) => {
    const broken = [...proseOf(page).matchAll(/\]\(([^)\s]+)\)/g)]
      .map(([, target = ""]) => target)
      .filter((target) => !/^(https?|mailto):/.test(target) && problemOf(page, target) !== null)
      .map((target) => `${target}: ${problemOf(page, target)}`);
    expect(broken).toEqual([]);
  });
});

describe.each(["AGENTS.md", "ARCHITECTURE.md", "CONTRIBUTING.md", "docs/guides/operations.md"])("%s", (page) => {
  it("names only files and folders that are there", () => {
    const named = [...proseOf(page).matchAll(/`((?:src|test|scripts|bench|docs|examples|schema|bin|\.ci)\/[^`\s]*)`/g)]
      .map(([, name = ""]) => name)
      .filter((name) => !/[*<]/.test(name));
    expect(named.filter((name) => !existsSync(path.join(ROOT, name)))).toEqual([]);
  });
});

function problemOf(page: string, target: string): string | null {
  const [file = "", anchor] = target.split("#", 2);
  const at = file === "" ? page : path.posix.normalize(path.posix.join(path.posix.dirname(page), file));
  if (MADE_ELSEWHERE.has(at)) return null;
  if (!existsSync(path.join(ROOT, at))) return "there is no such file";
  if (anchor === undefined) return null;
  return anchorsOf(at).has(anchor) ? null : "there is no such heading";
}
