import { describe, expect, it } from "vitest";

import {
  adapterBreaches,
  danglingImports,
  importCycles,
  layerBreaches,
  outsideImports,
  portBreaches,
} from "./layer-rules.ts";
import { parseSource, type SourceFile } from "./source-files.ts";

function tree(modules: Record<string, string>): SourceFile[] {
  return Object.entries(modules).map(([name, text]) => parseSource(name, text));
}

describe("reading a module's imports", () => {
  it("finds every form of reference, with its line", () => {
    const { imports } = parseSource(
      "gateway/http/x.ts",
      [
        'import { a } from "../a.ts";',
        'import type { B } from "../../core/b.ts";',
        'export { c } from "./c.ts";',
        'export type * from "./d.ts";',
        'import "node:fs";',
        'const late = await import("./late.ts");',
        'type T = import("./t.ts").T;',
        'const worker = new Worker(new URL("./worker.ts", import.meta.url));',
      ].join("\n"),
    );
    expect(imports.map(({ file, line, typeOnly }) => [file, line, typeOnly])).toEqual([
      ["gateway/a.ts", 1, false],
      ["core/b.ts", 2, true],
      ["gateway/http/c.ts", 3, false],
      ["gateway/http/d.ts", 4, true],
      [null, 5, false],
      ["gateway/http/late.ts", 6, false],
      ["gateway/http/t.ts", 7, true],
      ["gateway/http/worker.ts", 8, false],
    ]);
  });

  it("is not misled by comments, strings and templates", () => {
    const text =
      '// import "../a.ts";\nconst s = `import x from "../b.ts"`;\nconst r = /import "..\\/c.ts"/;\nexport { s, r };\n';
    expect(parseSource("core/x.ts", text)).toMatchObject({ imports: [], isBarrel: false });
  });

  it("tells a barrel from a file that adds something", () => {
    expect(parseSource("core/x.ts", 'export * from "./a.ts";\nexport { b } from "./b.ts";').isBarrel).toBe(true);
    expect(parseSource("core/x.ts", 'export * from "./a.ts";\nexport const b = 1;').isBarrel).toBe(false);
  });
});

describe("the layer rules", () => {
  it("refuse an import that goes up, also of a type", () => {
    const files = tree({
      "core/x.ts": 'import type { P } from "../gateway/p.ts";',
      "gateway/p.ts": "export type P = 1;",
    });
    expect(layerBreaches(files)).toEqual([
      "src/core/x.ts:1: core imports gateway, which is above it in the layer table",
    ]);
  });

  it("refuse an import between siblings on one line", () => {
    const files = tree({ "ops/x.ts": 'import { p } from "../gateway/p.ts";' });
    expect(layerBreaches(files)).toEqual(["src/ops/x.ts:1: ops and gateway stand on one line of the layer table"]);
  });

  it("allow imports that go down, and within a folder", () => {
    const files = tree({ "app/x.ts": 'import "../core/a.ts"; import "../gateway/b.ts"; import "./c.ts";' });
    expect(layerBreaches(files)).toEqual([]);
  });

  it("refuse an adapter outside app, and allow it in app and in tests", () => {
    const text = 'import { S } from "../store/postgres/s.ts";';
    const files = tree({ "app/x.ts": text, "ledger/y.ts": text, "ledger/y.test.ts": text });
    expect(adapterBreaches(files)).toEqual([
      "src/ledger/y.ts:1: store/postgres is an adapter, imported by app alone; ask for the port in store/ports",
    ]);
  });

  it("allow the ports to everyone, and refuse a port that knows an adapter", () => {
    const files = tree({
      "ledger/x.ts": 'import type { P } from "../store/ports/p.ts";',
      "store/ports/p.ts": 'import type { S } from "../postgres/s.ts";',
    });
    expect(adapterBreaches(files)).toEqual([]);
    expect(portBreaches(files)).toEqual(["src/store/ports/p.ts:1: a port knows nothing of its adapters"]);
  });

  it("refuse imports from outside src/, except in tests", () => {
    const text = 'import "../../test/harness/x.ts";';
    expect(outsideImports(tree({ "core/x.ts": text, "core/x.test.ts": text }))).toEqual([
      "src/core/x.ts:1: src/ imports nothing outside src/",
    ]);
  });

  it("refuse imports of files that are not there", () => {
    expect(danglingImports(tree({ "core/x.ts": 'import "./gone.ts";' }))).toEqual([
      "src/core/x.ts:1: there is no src/core/gone.ts",
    ]);
  });

  it("find a ring once, and let rings of types be", () => {
    const ring = { "core/a.ts": 'import "./b.ts";', "core/b.ts": 'import "./c.ts";', "core/c.ts": 'import "./a.ts";' };
    expect(importCycles(tree(ring))).toEqual([
      "a ring of imports: src/core/a.ts → src/core/b.ts → src/core/c.ts → src/core/a.ts",
    ]);
    expect(importCycles(tree({ ...ring, "core/c.ts": 'import type { A } from "./a.ts";' }))).toEqual([]);
  });
});
