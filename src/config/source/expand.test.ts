import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { expandTree, fileReferencesOf, type FileReading } from "./expand.ts";
import { parseSource } from "./parse-source.ts";
import { plainValueOf, treeAt, treeOf } from "./tree.ts";

const FILE = "/etc/weir.yaml";

interface Outside {
  readonly env?: Record<string, string | undefined>;
  readonly files?: Record<string, FileReading>;
}

/** Expands `value: <text>` as it would stand in a file. */
function expand(text: string, { env = {}, files = {} }: Outside = {}) {
  const { tree } = parseSource(FILE, JSON.stringify({ value: text }));
  if (tree === null) throw new Error("the text of the test is no YAML");
  const expanded = expandTree(tree, { env, files: new Map(Object.entries(files)) });
  const value: unknown = Reflect.get(Object(plainValueOf(expanded.tree)), "value");
  return { value, findings: expanded.findings, part: treeAt(expanded.tree, ["value"]) };
}

describe("${VAR}", () => {
  it("is replaced by the variable, alone and within longer text", () => {
    const env = { HOST: "db", PORT: "5432" };
    expect(expand("${HOST}", { env }).value).toBe("db");
    expect(expand("postgres://${HOST}:${PORT}/weir", { env }).value).toBe("postgres://db:5432/weir");
  });

  it("remembers which variables a value came from", () => {
    expect(expand("a-${X}-${Y}", { env: { X: "1", Y: "2" } }).part).toMatchObject({ references: ["X", "Y"] });
  });

  it("names the variable that is not set, and leaves the text", () => {
    const { value, findings } = expand("${NOPE}");
    expect(value).toBe("${NOPE}");
    expect(findings).toMatchObject([{ code: "missing_variable", path: ["value"] }]);
    expect(findings[0]?.message).toContain("NOPE");
  });

  it("takes a variable that is set but empty as empty text", () => {
    expect(expand("${EMPTY}", { env: { EMPTY: "" } })).toMatchObject({ value: "", findings: [] });
  });

  it.each(["${", "${VAR", "${1X}", "${A-B}", "${VAR:-default}", "${}"])("refuses %s", (text) => {
    expect(expand(text, { env: { VAR: "x" } }).findings).toMatchObject([{ code: "bad_reference" }]);
  });

  it("is written literally as $${VAR}", () => {
    expect(expand("$${VAR} costs $5", { env: { VAR: "x" } }).value).toBe("${VAR} costs $5");
  });

  it("puts any value in, unchanged and never expanded again", () => {
    fc.assert(
      fc.property(fc.string(), fc.constantFrom("", "${OTHER}", "$${X}", "}"), (text, trap) => {
        const value = text + trap;
        expect(expand("<${V}>", { env: { V: value, OTHER: "no" } }).value).toBe(`<${value}>`);
      }),
    );
  });

  it("leaves every text alone in which no ${ stands", () => {
    fc.assert(
      fc.property(
        fc.string().filter((text) => !text.includes("${")),
        (text) => {
          expect(expand(text)).toMatchObject({ value: text, findings: [] });
        },
      ),
    );
  });

  it("gives any text back once each ${ in it is doubled to $${", () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom("${", "}", "A", "file:", " ")), (pieces) => {
        const text = pieces.join("");
        expect(expand(text.split("${").join("$${"))).toMatchObject({ value: text, findings: [] });
      }),
    );
  });

  it("is not expanded in what the command line or the environment says", () => {
    const { tree, findings } = expandTree(treeOf({ a: "${X}" }, "command line"), { env: {}, files: new Map() });
    expect(plainValueOf(tree)).toEqual({ a: "${X}" });
    expect(findings).toEqual([]);
  });
});

describe("${file:/path}", () => {
  it("is replaced by the file's text without white space around it", () => {
    expect(expand("${file:/run/s}", { files: { "/run/s": { text: "\n secret \n" } } }).value).toBe("secret");
  });

  it("names the file that cannot be read, and why", () => {
    const { findings } = expand("${file:/run/s}", { files: { "/run/s": { problem: "does not exist" } } });
    expect(findings).toMatchObject([{ code: "unreadable_file", path: ["value"] }]);
    expect(findings[0]?.message).toBe("the file /run/s does not exist");
  });

  it("must be the whole value", () => {
    expect(expand("x${file:/run/s}").findings).toMatchObject([{ code: "bad_reference" }]);
  });

  it("must be absolute", () => {
    expect(expand("${file:secrets/key}").findings).toMatchObject([{ code: "bad_reference" }]);
  });

  it("is found wherever it stands, to be read beforehand", () => {
    const { tree } = parseSource(FILE, 'a: ["${file:/one}"]\nb: { c: "${file:/two}" }\nd: $${file:/three}\n');
    expect(tree && [...fileReferencesOf(tree)]).toEqual(["/one", "/two"]);
  });
});
