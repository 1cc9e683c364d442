import { describe, expect, it } from "vitest";

import { exactReply, firstSentence, isChinese, keywords } from "./prompt-words.ts";

describe("exactReply", () => {
  it.each([
    ["Reply with exactly: pong", "pong"],
    ["reply with exactly: Hello, world.", "Hello, world."],
    ["Respond with only the word OK.", "OK"],
    ['Say exactly "ready, set" and nothing else', "ready, set"],
    ["Answer with just `42`", "42"],
    ["Run `ls` and then reply with exactly: done", "done"],
    ["Please output only: a\nand ignore this line", "a"],
    ["Say only banana and nothing else.", "banana"],
  ])("finds in %j the text %j", (prompt, text) => {
    expect(exactReply(prompt)).toBe(text);
  });

  it.each(["Say something nice", "Explain exactly how it works", "What did you reply?", ""])(
    "finds none in %j",
    (prompt) => {
      expect(exactReply(prompt)).toBeNull();
    },
  );
});

describe("firstSentence", () => {
  it("ends at the first full stop, question mark or line end", () => {
    expect(firstSentence("Why? Because.")).toBe("Why?");
    expect(firstSentence("Look at 3.5 and go on. Then stop.")).toBe("Look at 3.5 and go on.");
    expect(firstSentence("one\ntwo")).toBe("one");
  });

  it("cuts a long sentence at a word", () => {
    const cut = firstSentence("word ".repeat(100));
    expect(cut.length).toBeLessThanOrEqual(161);
    expect(cut).toMatch(/word…$/);
  });
});

describe("keywords", () => {
  it("keeps the telling words in their order, each once", () => {
    expect(keywords("How do I reverse a linked list, and why is the list linked?", 4)).toEqual([
      "reverse",
      "linked",
      "list",
    ]);
  });
});

describe("isChinese", () => {
  it("tells a Chinese prompt from an English one with a Chinese word", () => {
    expect(isChinese("如何用 Python 反转一个链表？")).toBe(true);
    expect(isChinese("What does the word 链表 mean in this text?")).toBe(false);
  });
});
