import { describe, expect, it } from "vitest";

import { CHAT_CLIENT_FEATURES, CHAT_TARGET_FEATURES } from "./features.ts";

describe("the tables of features", () => {
  it.each([
    ["client", CHAT_CLIENT_FEATURES],
    ["target", CHAT_TARGET_FEATURES],
  ])("of the %s say why for all that is less than yes", (_side, table) => {
    const unexplained = Object.entries(table).filter(([, { support, why }]) => support !== "yes" && why === "");
    expect(unexplained).toEqual([]);
  });

  it("name the same features on both sides", () => {
    expect(Object.keys(CHAT_TARGET_FEATURES)).toEqual(Object.keys(CHAT_CLIENT_FEATURES));
  });
});
