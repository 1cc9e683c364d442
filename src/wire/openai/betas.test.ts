import { describe, expect, it } from "vitest";

import { betasOf } from "./betas.ts";

describe("anthropic_beta in a body of OpenAI's", () => {
  it.each([
    ["one name", "a-1", ["a-1"]],
    ["names with commas", "a-1, b-2,", ["a-1", "b-2"]],
    ["a list", ["a-1", "b-2, c-3"], ["a-1", "b-2", "c-3"]],
    ["nothing", null, []],
  ])("is read from %s", (_, value, betas) => {
    expect(betasOf({ anthropic_beta: value })).toEqual(betas);
  });

  it.each([
    ["a line break, which would be another header", ["a", "b\r\nx-evil: 1"], "anthropic_beta[1]"],
    ["what no header can hold", "\u4e2d", "anthropic_beta"],
    ["a null character", ["a\u0000"], "anthropic_beta[0]"],
    ["a number", 7, "anthropic_beta"],
  ])("is refused by its path for %s", (_, value, path) => {
    const expected = expect.objectContaining({
      code: "weir:request:invalid_field",
      message: expect.stringContaining(path),
    });
    expect(() => betasOf({ anthropic_beta: value })).toThrow(expected);
  });
});
