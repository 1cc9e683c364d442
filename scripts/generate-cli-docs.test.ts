import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { cliDoc, staleCliDocs, writeCliDocs } from "./generate-cli-docs.ts";

let root: string;
beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), "weir-docs-"));
});
afterEach(async () => rm(root, { recursive: true, force: true }));

describe("the generator of the command line's reference page", () => {
  it("writes the page when it is missing or stale, and not otherwise", async () => {
    const { path: name, content } = cliDoc();
    expect(await writeCliDocs(root)).toEqual([name]);
    expect(await readFile(path.join(root, name), "utf8")).toBe(content);
    expect(await writeCliDocs(root)).toEqual([]);
    await writeFile(path.join(root, name), "old");
    expect(await staleCliDocs(root)).toEqual([name]);
  });

  it("gives every command a section with its usage, options and examples", () => {
    const { content } = cliDoc();
    expect(content).toContain("## weir keys rotate\n");
    expect(content).toContain(
      "| `--overlap <span>` | How long the old key still works: 24h, 7d, or 0. Default: `24h`. |",
    );
    expect(content).toMatch(/## weir claude\n[\s\S]+weir claude \[options\] \[args\.\.\.\]/);
    expect(content).toContain("$ weir keys rotate laptop");
    expect(content).toContain("| 3 | what is needed cannot be reached or opened");
  });

  it("links only to sections that exist", () => {
    const { content } = cliDoc();
    const anchors = new Set(
      [...content.matchAll(/^## (.*)$/gm)].map(([, heading = ""]) => heading.toLowerCase().replaceAll(" ", "-")),
    );
    for (const [, anchor = ""] of content.matchAll(/\]\(#([^)]+)\)/g)) expect(anchors).toContain(anchor);
  });
});
