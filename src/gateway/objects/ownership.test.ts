import { describe, expect, it } from "vitest";

import type { OwnedObject } from "../../store/ports/owned-objects.ts";
import { owns } from "./ownership.ts";

const OBJECT: OwnedObject = {
  id: "file_1",
  kind: "file",
  organizationId: "org_1",
  keyId: "key_1",
  userId: "usr_1",
  target: "anthropic",
  createdAtMs: 0,
  settledAtMs: null,
};

describe("an object of a user", () => {
  it.each([
    ["the user with the same key", { organizationId: "org_1", keyId: "key_1", userId: "usr_1" }, true],
    ["the user with another key", { organizationId: "org_1", keyId: "key_2", userId: "usr_1" }, true],
    ["a user of that id in another organisation", { organizationId: "org_2", keyId: "key_1", userId: "usr_1" }, false],
    ["another user", { organizationId: "org_1", keyId: "key_2", userId: "usr_2" }, false],
    ["its own key, now another user's", { organizationId: "org_1", keyId: "key_1", userId: "usr_2" }, false],
    ["its own key, now nobody's", { organizationId: "org_1", keyId: "key_1", userId: null }, false],
  ])("is owned or not by %s", (_, owner, expected) => {
    expect(owns(owner, OBJECT)).toBe(expected);
  });
});

describe("an object of a key without a user", () => {
  const object = { ...OBJECT, userId: null };

  it.each([
    ["the key", { organizationId: "org_1", keyId: "key_1", userId: null }, true],
    ["a key of that id in another organisation", { organizationId: "org_2", keyId: "key_1", userId: null }, false],
    ["another key without a user", { organizationId: "org_1", keyId: "key_2", userId: null }, false],
    ["the key, now a user's", { organizationId: "org_1", keyId: "key_1", userId: "usr_1" }, false],
  ])("is owned or not by %s", (_, owner, expected) => {
    expect(owns(owner, object)).toBe(expected);
  });
});
