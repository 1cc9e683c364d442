import { readFileSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import { readPage, ROOT } from "./markdown.ts";

const GROUPS = ["dependencies", "optionalDependencies", "devDependencies"] as const;

describe("docs/dependencies.md", () => {
  const listed = [...readPage("docs/dependencies.md").matchAll(/^\| `([^`]+)` \| ([^|]+) \|/gm)].map(
    ([, name = "", licence = ""]) => ({ name, licence: licence.trim() }),
  );
  const manifest = readJson("package.json");
  const wanted = GROUPS.flatMap((group) => Object.keys(record(manifest[group])));

  it("lists every package that package.json names, and no other", () => {
    expect(listed.map(({ name }) => name).sort()).toEqual(wanted.sort());
  });

  it.each(listed)("gives the licence of $name as the package does", ({ name, licence }) => {
    // Packages for other platforms are in the lockfile only, which has the licence too.
    const locked = record(record(readJson("package-lock.json")["packages"])[`node_modules/${name}`]);
    expect(locked["license"]).toBe(licence);
  });
});

function readJson(file: string): Record<string, unknown> {
  return record(JSON.parse(readFileSync(path.join(ROOT, file), "utf8")));
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? Object.fromEntries(Object.entries(value)) : {};
}
