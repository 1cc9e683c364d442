import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { carriedBlocks, carriedReasoning, carryBlocks, carryReasoning, isCarrier } from "./block-carrier.ts";

describe("blocks in the opaque text of a reasoning item", () => {
  it("come back as they were, whatever is in them", () => {
    const block = fc.dictionary(fc.string(), fc.jsonValue()).map((fields) => ({ ...fields, type: "thinking" }));
    fc.assert(
      fc.property(fc.array(block, { minLength: 1 }), (blocks) => {
        expect(carriedBlocks(carryBlocks(blocks))).toEqual(JSON.parse(JSON.stringify(blocks)));
      }),
    );
  });

  it("say what they are, so that others can tell", () => {
    expect(carryBlocks([{ type: "thinking" }])).toMatch(/^weir:messages-blocks:v1:[\w-]+$/);
    expect(isCarrier(carryBlocks([{ type: "thinking" }]))).toBe(true);
    expect(isCarrier("gAAAAABm_opaque")).toBe(false);
  });

  it.each([
    ["another provider's text", "gAAAAABmF3xq"],
    ["a text that was cut", carryBlocks([{ type: "thinking", thinking: "long enough" }]).slice(0, -8)],
    ["a later version", "weir:messages-blocks:v2:e30"],
    ["no list", `weir:messages-blocks:v1:${Buffer.from("{}").toString("base64url")}`],
    ["an empty list", carryBlocks([])],
    ["a block without a type", carryBlocks([{ thinking: "" }])],
    ["something that is no block", carryBlocks(["text"])],
  ])("are not taken from %s", (_, text) => {
    expect(carriedBlocks(text)).toBeNull();
  });
});

describe("an upstream's reasoning in a signature", () => {
  it("comes back as it was", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 1 }), (text) => {
        expect(carriedReasoning(carryReasoning(text))).toBe(text);
      }),
    );
  });

  it("is not taken from a signature of Claude's, nor from blocks", () => {
    expect(carriedReasoning("EqQBCkgIARABGAIiQL2UoU0b1OHY")).toBeNull();
    expect(carriedReasoning(carryBlocks([{ type: "thinking" }]))).toBeNull();
    expect(carriedReasoning(carryReasoning(""))).toBeNull();
  });
});
