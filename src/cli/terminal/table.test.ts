import { describe, expect, it } from "vitest";

import { styleFor } from "./style.ts";
import { tableLines } from "./table.ts";
import { displayWidth } from "./text-width.ts";

const plain = { style: styleFor(false), columns: null };

describe("a table", () => {
  it("sets text left, numbers right and decimal points one above the other, with totals below a rule", () => {
    const lines = tableLines(
      [
        { header: "WHO", cells: ["ada", "田中"], footer: "Total" },
        { header: "N", cells: ["1,200", "3"], align: "right", footer: "1,203" },
        { header: "USD", cells: ["12.50", "0.000125"], align: "point", footer: "12.500125" },
      ],
      plain,
    );
    expect(lines).toEqual([
      "WHO        N        USD",
      "ada    1,200  12.50",
      "田中       3   0.000125",
      "─────  ─────  ─────────",
      "Total  1,203  12.500125",
    ]);
  });

  it("takes width from flexible columns alone when the screen is narrow", () => {
    const columns = [
      { header: "NAME", cells: ["a very long name indeed"], isFlexible: true },
      { header: "ID", cells: ["key_0123456789"] },
    ];
    const lines = tableLines(columns, { ...plain, columns: 30 });
    expect(lines[1]).toBe("a very long n…  key_0123456789");
    expect(Math.max(...lines.map(displayWidth))).toBe(30);
  });

  it("leaves a table too wide for the screen whole rather than unreadable", () => {
    const lines = tableLines([{ header: "ID", cells: ["key_0123456789"] }], { ...plain, columns: 5 });
    expect(lines[1]).toBe("key_0123456789");
  });

  it("keeps control characters of cells from the terminal, and colours outside the widths", () => {
    const paint = (text: string): string => `<${text}>`;
    expect(tableLines([{ header: "A", cells: ["x\u001b[2J", "y"], paint }], plain)).toEqual([
      "A",
      "<x\\u001b[2J>",
      "<y         >",
    ]);
  });
});
