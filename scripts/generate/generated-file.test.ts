import { describe, expect, it } from "vitest";

import { fillSections, markdownTable } from "./generated-file.ts";

const PAGE = "# Title\n\n<!-- generated: a -->\nold\n<!-- end of generated: a -->\n\nText.\n";

describe("generated sections of a page", () => {
  it("are replaced, and what people wrote stays", () => {
    expect(fillSections(PAGE, { a: "new\nlines\n" })).toBe(
      "# Title\n\n<!-- generated: a -->\nnew\nlines\n<!-- end of generated: a -->\n\nText.\n",
    );
  });

  it("may be empty before", () => {
    expect(fillSections("<!-- generated: a -->\n<!-- end of generated: a -->", { a: "new" })).toContain("new");
  });

  it("come out the same when filled again", () => {
    const once = fillSections(PAGE, { a: "x" });
    expect(fillSections(once, { a: "x" })).toBe(once);
  });

  it.each([
    [PAGE, {}, 'nothing generates the section "a"'],
    [PAGE, { a: "x", b: "y" }, 'the page has no section "b"'],
    ["<!-- generated: a -->\n", { a: "x" }, 'the section "a" is not closed'],
  ])("complain when page and generator do not fit", (page, sections, message) => {
    expect(() => fillSections(page, sections)).toThrow(message);
  });
});

describe("a Markdown table", () => {
  it("escapes what would end a cell", () => {
    expect(markdownTable(["a", "b"], [["x|y", "z"]])).toBe("| a | b |\n|---|---|\n| x\\|y | z |");
  });
});
