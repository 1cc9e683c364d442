import { describe, expect, it } from "vitest";

import { bar, sparkline } from "./bars.ts";

describe("a bar", () => {
  it("is as long as the share, in steps of an eighth", () => {
    expect(bar(0.5, 4)).toBe("██");
    expect(bar(1, 3)).toBe("███");
    expect(bar(0.53125, 4)).toBe("██▏");
  });

  it("shows anything above nothing, and never leaves its field", () => {
    expect(bar(0.0001, 10)).toBe("▏");
    expect(bar(0, 10)).toBe("");
    expect(bar(7, 2)).toBe("██");
  });
});

describe("a sparkline", () => {
  it("is as high as each value beside the largest, and blank for none", () => {
    expect(sparkline([0, 1, 4, 8])).toBe(" ▂▅█");
    expect(sparkline([0, 0])).toBe("  ");
  });
});
