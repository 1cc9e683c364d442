import { readdirSync } from "node:fs";
import path from "node:path";

import { describe, expect, it } from "vitest";

import {
  adapterBreaches,
  danglingImports,
  importCycles,
  isTestFile,
  layerBreaches,
  outsideImports,
  portBreaches,
} from "./layer-rules.ts";
import { LAYERS, MAX_FILE_LINES, STORE_ADAPTERS, VAGUE_NAMES } from "./layer-table.ts";
import { readSources } from "./source-files.ts";

const SRC = path.resolve(import.meta.dirname, "../../src");
const files = readSources(SRC);

describe("the source tree", () => {
  it("has every folder in the layer table, once", () => {
    const folders = readdirSync(SRC, { withFileTypes: true })
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
    const listed = LAYERS.flat().map(({ folder }) => folder);
    expect(folders.filter((folder) => !listed.includes(folder))).toEqual([]);
    expect(listed).toEqual([...new Set(listed)]);
  });

  it("has no files directly under src/", () => {
    expect(files.map(({ name }) => name).filter((name) => !name.includes("/"))).toEqual([]);
  });

  it("knows every adapter of the store", () => {
    const adapters = readdirSync(path.join(SRC, "store"), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== "ports")
      .map(({ name }) => name);
    expect(adapters.filter((name) => !STORE_ADAPTERS.includes(name))).toEqual([]);
  });

  it("imports downwards only, and nothing from a sibling on the same line", () => {
    expect(layerBreaches(files)).toEqual([]);
  });

  it("imports the store's adapters in app alone", () => {
    expect(adapterBreaches(files)).toEqual([]);
    expect(portBreaches(files)).toEqual([]);
  });

  it("imports nothing outside src/, and nothing that is not there", () => {
    expect(outsideImports(files)).toEqual([]);
    expect(danglingImports(files)).toEqual([]);
  });

  it("has no rings of imports", () => {
    expect(importCycles(files)).toEqual([]);
  });

  it("has no barrels and no files with names that say nothing", () => {
    expect(files.filter(({ isBarrel }) => isBarrel).map(({ name }) => name)).toEqual([]);
    expect(files.map(({ name }) => name).filter((name) => VAGUE_NAMES.includes(path.posix.basename(name)))).toEqual([]);
  });

  it(`has no file of more than ${MAX_FILE_LINES} lines`, () => {
    const long = files
      .filter(({ name }) => !isTestFile(name))
      .map(({ name, text }) => ({ name, lines: text.split("\n").filter((line) => line.trim()).length }));
    expect(long.filter(({ lines }) => lines > MAX_FILE_LINES)).toEqual([]);
  });
});
