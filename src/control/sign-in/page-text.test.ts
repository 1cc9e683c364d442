import { describe, expect, it } from "vitest";

import { filled, pageText } from "./page-text.ts";

describe("the language of the page", () => {
  it.each([
    [undefined, "en"],
    ["", "en"],
    ["zh", "zh"],
    ["zh-CN,zh;q=0.9,en;q=0.8", "zh"],
    ["en-GB,en;q=0.9,zh;q=0.8", "en"],
    ["en;q=0.2, zh-Hant-TW;q=0.7", "zh"],
    ["de, fr;q=0.9", "en"],
    ["de, zh;q=0.5", "zh"],
    ["zh;q=0, en;q=0.1", "en"],
    ["zh;q=0", "en"],
    ["*", "en"],
    [";;;q=,,zh;q=nonsense", "zh"],
  ])("for %j is %s", (header, language) => {
    expect(pageText(header).lang).toBe(language);
  });

  it("has every text in both, with the same values to fill in", () => {
    const names = (text: string) => [...text.matchAll(/\{\w+\}/g)].map(([name]) => name).sort();
    const [english, chinese] = [pageText("en"), pageText("zh")];
    expect(Object.keys(chinese)).toEqual(Object.keys(english));
    for (const [key, text] of Object.entries(english)) {
      const other = Object.entries(chinese).find(([name]) => name === key)?.[1] ?? "";
      expect(names(other)).toEqual(names(text));
      expect(other).not.toBe(text);
    }
  });
});

describe("filled", () => {
  it("puts values in, and values only", () => {
    expect(filled("{a} and {b}", { a: "{b}", b: "x" })).toBe("{b} and x");
    expect(filled("{unknown}", {})).toBe("{unknown}");
  });
});
