import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { KeyRecord, KeyScopes } from "../../store/ports/directory.ts";
import { allowsModel, checkAccess, type AccessRequest } from "./access-policy.ts";

function key(scopes: Partial<KeyScopes>): KeyRecord {
  return {
    id: "key_1",
    organizationId: "org_1",
    teamId: null,
    userId: null,
    name: "test",
    keyClass: "dev",
    hmac: "",
    hint: "",
    scopes: { models: [], endpoints: [], addresses: [], ...scopes },
    limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    createdAtMs: 0,
    expiresAtMs: null,
    revokedAtMs: null,
    replacesKeyId: null,
  };
}

function verdict(scopes: Partial<KeyScopes>, given: Partial<AccessRequest> = {}): string {
  const request = { endpoint: "messages", model: "claude-sonnet-4-5", client: { clientAddress: "10.0.0.7" }, ...given };
  try {
    checkAccess(key(scopes), request);
    return "allowed";
  } catch (error) {
    if (error instanceof WeirError) return `${error.code} ${error.message}`;
    throw error;
  }
}

describe("checkAccess", () => {
  it("allows everything to a key without scopes", () => {
    expect(verdict({})).toBe("allowed");
  });

  it.each([
    ["10.0.0.7", ["10.0.0.0/24"], "allowed"],
    ["::ffff:10.0.0.7", ["10.0.0.0/24"], "allowed"],
    ["10.0.1.7", ["10.0.0.0/24", "192.0.2.1"], "weir:access:address This key may not be used from this address."],
    ["", ["0.0.0.0/0", "::/0"], "weir:access:address This key may not be used from this address."],
    ["not an address", ["0.0.0.0/0"], "weir:access:address This key may not be used from this address."],
  ])("for a caller at %j of a key that is bound to %j", (clientAddress, addresses, expected) => {
    expect(verdict({ addresses }, { client: { clientAddress } })).toBe(expected);
  });

  it("does not ask for the address of a key that is bound to none", () => {
    const client = {
      get clientAddress(): string {
        throw new Error("asked for");
      },
    };

    expect(verdict({}, { client })).toBe("allowed");
  });

  it("allows only the endpoints of the scopes, and says which they are", () => {
    expect(verdict({ endpoints: ["messages"] })).toBe("allowed");
    expect(verdict({ endpoints: ["models", "files"] })).toBe(
      "weir:access:endpoint This key does not allow the endpoint messages; it allows: models, files.",
    );
  });

  it("allows only the models of the scopes, and says which they are", () => {
    expect(verdict({ models: ["claude-haiku-*", "claude-sonnet-5"] })).toBe(
      "weir:access:model This key does not allow the model claude-sonnet-4-5; it allows: claude-haiku-*, claude-sonnet-5.",
    );
  });

  it("does not check the model where there is none", () => {
    expect(verdict({ models: ["claude-haiku-*"] }, { model: null })).toBe("allowed");
  });
});

describe("allowsModel", () => {
  const scopes = (models: string[]): KeyScopes => ({ models, endpoints: [], addresses: [] });

  it.each([
    "claude-sonnet-4-5",
    "claude-sonnet-4-5-20250929",
    "claude-sonnet-4-5[1m]",
    "eu.anthropic.claude-sonnet-4-5-20250929-v1:0",
    "CLAUDE-SONNET-4-5",
  ])("knows an allowed model under the spelling %s", (model) => {
    expect(allowsModel(scopes(["claude-sonnet-4-5"]), model)).toBe(true);
    expect(allowsModel(scopes(["claude-sonnet-*"]), model)).toBe(true);
    expect(allowsModel(scopes(["claude-sonnet-4-6"]), model)).toBe(false);
  });

  it("knows models of other names by their own names", () => {
    expect(allowsModel(scopes(["team-*"]), "team-summariser")).toBe(true);
    expect(allowsModel(scopes(["team-*"]), "other-team-summariser")).toBe(false);
  });
});
