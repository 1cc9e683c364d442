import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { mergeTrees, placeOf, plainValueOf, treeOf } from "./tree.ts";

const leaf = fc.oneof(fc.integer(), fc.string(), fc.boolean());
const key = fc.constantFrom("a", "b", "c", "d");
const { map } = fc.letrec((tie) => ({
  map: fc.dictionary(key, tie("node"), { maxKeys: 4, noNullPrototype: true }),
  node: fc.oneof({ depthSize: "small" }, leaf, fc.array(leaf, { maxLength: 3 }), tie("map")),
}));

/** The plain value of layers laid over each other, the last on top. */
function merged(...layers: unknown[]): unknown {
  return plainValueOf(layers.map((layer, i) => treeOf(layer, `layer ${i}`)).reduce(mergeTrees));
}

describe("merging layers", () => {
  it("merges maps key by key and replaces lists and single values", () => {
    const below = { listen: { host: "a", port: 1 }, proxies: [1, 2, 3], log: { level: "info" } };
    const above = { listen: { port: 2 }, proxies: [9], log: "off" };
    expect(merged(below, above)).toEqual({ listen: { host: "a", port: 2 }, proxies: [9], log: "off" });
  });

  it("lets a null say nothing", () => {
    expect(merged({ a: { b: 1 }, c: 2 }, { a: null, c: null })).toEqual({ a: { b: 1 }, c: 2 });
  });

  it("gives back what a single layer says", () => {
    fc.assert(
      fc.property(map, (layer) => {
        expect(merged(layer)).toEqual(layer);
      }),
    );
  });

  it("changes nothing when a layer is laid over itself or over nothing", () => {
    fc.assert(
      fc.property(map, (layer) => {
        expect(merged(layer, layer)).toEqual(layer);
        expect(merged({}, layer)).toEqual(layer);
        expect(merged(layer, {})).toEqual(layer);
      }),
    );
  });

  it("does not depend on how layers of the same shape are grouped", () => {
    const settings = fc.record({ level: leaf, proxies: fc.array(leaf) }, { requiredKeys: [] });
    const layer = fc.record({ log: settings, port: leaf, teams: fc.dictionary(key, settings) }, { requiredKeys: [] });
    fc.assert(
      fc.property(layer, layer, layer, (a, b, c) => {
        expect(merged(merged(a, b), c)).toEqual(merged(a, merged(b, c)));
      }),
    );
  });

  it("keeps every single value of the top layer, and says that it comes from there", () => {
    fc.assert(
      fc.property(map, map, (below, above) => {
        const tree = mergeTrees(treeOf(below, "below"), treeOf(above, "above"));
        for (const [path, value] of leavesOf(above)) {
          expect(path.reduce((here, step) => Reflect.get(Object(here), step), plainValueOf(tree))).toEqual(value);
          expect(placeOf(tree, path).origin).toBe("above");
        }
      }),
    );
  });
});

function leavesOf(value: unknown, path: string[] = []): [string[], unknown][] {
  const isMap = typeof value === "object" && value !== null && !Array.isArray(value);
  return isMap ? Object.entries(value).flatMap(([k, member]) => leavesOf(member, [...path, k])) : [[path, value]];
}
