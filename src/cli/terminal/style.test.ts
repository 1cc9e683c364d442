import { describe, expect, it } from "vitest";

import { styleFor, wantsColors } from "./style.ts";

describe("colours", () => {
  it.each([
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: "1" }, false],
    [true, { NO_COLOR: "" }, true],
    [true, { TERM: "dumb" }, false],
    [false, { FORCE_COLOR: "1" }, true],
    [true, { FORCE_COLOR: "0" }, false],
    [true, { FORCE_COLOR: "1", NO_COLOR: "1" }, false],
  ])("given a terminal %s and %j: %s", (isTty, env, expected) => {
    expect(wantsColors(isTty, env)).toBe(expected);
  });

  it("leave text alone where there are none", () => {
    expect(styleFor(false).red("x")).toBe("x");
    expect(styleFor(true).red("x")).toBe("\u001b[31mx\u001b[39m");
  });
});
