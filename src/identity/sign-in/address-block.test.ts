import { describe, expect, it } from "vitest";

import { addressBlock } from "./address-block.ts";

describe("what counts as one caller", () => {
  it.each([
    ["192.0.2.7", "192.0.2.7"],
    ["::ffff:192.0.2.7", "192.0.2.7"],
    ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
    ["2001:db8:1:2::", "2001:db8:1:2::/64"],
    ["2001:db8:1:3::1", "2001:db8:1:3::/64"],
    ["::1", "::/64"],
    ["no address", "no address"],
  ])("%s is %s", (address, block) => {
    expect(addressBlock(address)).toBe(block);
  });
});
