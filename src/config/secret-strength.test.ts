import { randomBytes } from "node:crypto";

import { describe, expect, it } from "vitest";

import { weaknessOf } from "./secret-strength.ts";

describe("the strength of a secret", () => {
  it.each([
    ["", "empty"],
    ["   ", "empty"],
    ["changeme", "placeholder"],
    ["Change-Me!", "placeholder"],
    ["password123", "placeholder"],
    ["secretsecretsecretsecretsecretsecret", "placeholder"],
    ["sk-ant-xxxxxxxxxxxxxxxxxxxxxxxxxxxx", "placeholder"],
    ["your-anthropic-api-key", "placeholder"],
    ["hunter2", "short"],
    ["sk-ant-...", "short"],
    ["a".repeat(40), "repetitive"],
    ["01".repeat(20), "repetitive"],
  ])("%j is %s", (secret, weakness) => expect(weaknessOf(secret, 20)).toBe(weakness));

  it("counts bytes, not characters", () => {
    expect(weaknessOf("äöüßéè", 12)).toBeNull();
    expect(weaknessOf("aouses", 12)).toBe("short");
  });

  it("takes random secrets of the asked length", () => {
    for (let i = 0; i < 500; i++) {
      expect(weaknessOf(randomBytes(32).toString("base64"), 32)).toBeNull();
      expect(weaknessOf(randomBytes(32).toString("hex"), 32)).toBeNull();
    }
  });
});
