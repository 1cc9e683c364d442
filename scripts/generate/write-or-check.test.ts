import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { staleFiles, writeFiles } from "./write-or-check.ts";

const FILES = [
  { path: "a/one.md", content: "one\n" },
  { path: "two.md", content: "two\n" },
];

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "weir-generate-"));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

describe("generated files", () => {
  it("are stale while they are missing", async () => {
    expect(await staleFiles(FILES, root)).toEqual(["a/one.md", "two.md"]);
  });

  it("are written where they are stale, and only there", async () => {
    expect(await writeFiles(FILES, root)).toEqual(["a/one.md", "two.md"]);
    expect(await staleFiles(FILES, root)).toEqual([]);
    await writeFile(path.join(root, "two.md"), "edited by hand\n");
    expect(await writeFiles(FILES, root)).toEqual(["two.md"]);
    expect(await readFile(path.join(root, "two.md"), "utf8")).toBe("two\n");
  });
});
