import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { parseSource } from "./parse-source.ts";
import { keyPlaceAt, placeOf, plainValueOf } from "./tree.ts";

const FILE = "/etc/weir.yaml";

function valueOf(text: string): unknown {
  const { tree, problems } = parseSource(FILE, text);
  expect(problems).toEqual([]);
  return tree && plainValueOf(tree);
}

/** Code, line and column of what is wrong with a text. */
function problemsOf(text: string): [string, number | null, number | null][] {
  return parseSource(FILE, text).problems.map(({ code, place }) => [code, place.line, place.column]);
}

describe("reading YAML", () => {
  it("remembers the line and column of every value and key", () => {
    const { tree } = parseSource(FILE, "listen:\n  port: 80\nupstreams:\n  - name: a\n  - name: b\n");
    if (tree === null) throw new Error("expected a tree");
    expect(placeOf(tree, ["listen", "port"])).toEqual({ origin: FILE, file: FILE, line: 2, column: 9 });
    expect(placeOf(tree, ["upstreams", 1, "name"])).toMatchObject({ line: 5, column: 11 });
    expect(keyPlaceAt(tree, ["listen", "port"])).toMatchObject({ line: 2, column: 3 });
  });

  it("points at the nearest part above for what is not written", () => {
    const { tree } = parseSource(FILE, "a: 1\nlisten:\n  tls:\n    cert: x\n");
    if (tree === null) throw new Error("expected a tree");
    expect(placeOf(tree, ["listen", "tls", "key"])).toMatchObject({ line: 3, column: 3 });
    expect(placeOf(tree, ["store"])).toMatchObject({ line: 1, column: 1 });
  });

  it("takes an empty file, and one with nothing but comments, as an empty map", () => {
    expect(valueOf("")).toEqual({});
    expect(valueOf("# nothing yet\n")).toEqual({});
  });

  it("takes a key with nothing after it as not written", () => {
    expect(valueOf("models:\nlog: { level: , format: json }\n")).toEqual({ log: { format: "json" } });
  });

  it("resolves anchors", () => {
    expect(valueOf("a: &x [1, 2]\nb: *x\n")).toEqual({ a: [1, 2], b: [1, 2] });
  });

  it.each([
    ["a key written twice", "a: 1\nb: 2\na: 3\n", "duplicate_key", 3, 1],
    ["a tab as indentation", "a:\n\tb: 1\n", "yaml_syntax", 2, 1],
    ["a quote that is not closed", 'a: "x\nb: 2\n', "yaml_syntax", 3, 1],
    ["two keys on a line", "a: b: c\n", "yaml_syntax", 1, 4],
    ["uneven indentation", "a:\n  b: 1\n c: 2\n", "yaml_syntax", 3, 1],
    ["an unquoted ${} within { }", "auth: { key: ${X} }\n", "yaml_syntax", 1, 15],
    ["an anchor that does not exist", "a: *nowhere\n", "yaml_syntax", 1, 4],
    ["a tag", "a: !secret x\n", "yaml_syntax", 1, 4],
    ["a second document", "a: 1\n---\nb: 2\n", "yaml_syntax", 2, 1],
    ["a list at the top", "- a\n- b\n", "not_a_map", 1, 1],
    ["text at the top", "hello\n", "not_a_map", 1, 1],
    ["text without a colon in a map", "a: { b }\n", "bad_key", 1, 6],
    ["__proto__ as a key", "__proto__: { x: 1 }\n", "bad_key", 1, 1],
  ])("refuses %s, where it stands", (...row) => {
    const [, text, code, line, column] = row;
    expect(problemsOf(text)).toEqual([[code, line, column]]);
  });

  it.each(["a: { b: 1\n", "a: [1, 2\nb: 3\n", "limits: {max_req"])(
    "calls the brace in %j unclosed, not badly indented",
    (text) => {
      expect(parseSource(FILE, text).problems[0]?.message).toContain("not closed");
    },
  );

  it("says how to quote a reference within braces", () => {
    expect(parseSource(FILE, "auth: { key: ${X} }\n").problems[0]?.fix).toContain('"${VAR}"');
  });

  it("refuses anchors that refer to themselves or multiply", () => {
    const lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"];
    for (let i = 1; i < 9; i++)
      lines.push(`a${i}: &a${i} [${Array.from({ length: 10 }, () => `*a${i - 1}`).join(", ")}]`);
    expect(problemsOf("a: &a [*a]\n")).toMatchObject([["too_complex", 1, expect.anything()]]);
    expect(parseSource(FILE, lines.join("\n")).problems).toMatchObject([{ code: "too_complex" }]);
  });

  it("never throws, whatever the text", () => {
    const token = fc.constantFrom(
      "a",
      ":",
      " ",
      "\n",
      "-",
      "{",
      "}",
      "[",
      "]",
      '"',
      "'",
      "&a",
      "*a",
      "!",
      "|",
      "#",
      "\t",
      "?",
      "%",
      ",",
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(token, { maxLength: 30 }).map((tokens) => tokens.join("")),
        ),
        (text) => {
          const { tree, problems } = parseSource(FILE, text);
          expect(tree === null).toBe(problems.length > 0);
        },
      ),
      { numRuns: 500 },
    );
  });
});
