import type { IncomingMessage } from "node:http";
import type { ServerResponse } from "node:http";

import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import type { ControlCall } from "../../gateway/control-handler.ts";
import { adminAccess, type AccessFacts } from "./admin-access.ts";

const ACME = { id: "org_1", name: "Acme", status: "active", timeZone: "UTC" } as const;
const UMBRELLA = { id: "org_2", name: "Umbrella", status: "active", timeZone: "UTC" } as const;
const FACTS: AccessFacts = {
  settings: {
    write_keys: [
      { id: "ci", key: "w".repeat(32) },
      { id: "umbrella", key: "u".repeat(32), organization: "Umbrella" },
    ],
    read_keys: [{ id: "reporting", key: "r".repeat(32) }],
    admin_groups: ["finops"],
  },
  organizations: [ACME],
  personOf: async (token) => {
    if (token === "finance") return { organizationId: "org_2", subject: "usr_9", groups: ["eng", "finops"] };
    return token === "developer" ? { organizationId: "org_1", subject: "usr_1", groups: ["eng"] } : null;
  },
};

function access(headers: Record<string, string>, facts: Partial<AccessFacts> = {}): ReturnType<typeof adminAccess> {
  const call: ControlCall = {
    // Of a call, access reads its headers and where it comes from.
    request: { headers } as unknown as IncomingMessage,
    response: {} as unknown as ServerResponse,
    requestId: "req_1",
    clientAddress: "192.0.2.7",
    path: "/",
    identity: null,
  };
  return adminAccess(call, { ...FACTS, ...facts });
}

async function refusal(headers: Record<string, string>, facts: Partial<AccessFacts> = {}): Promise<[number, string]> {
  const error: unknown = await access(headers, facts).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  if (error instanceof WeirError) return [error.row.status, error.message];
  throw new Error("not refused");
}

describe("access to the admin API", () => {
  it("is by a key, which says who it was, and whether it may write", async () => {
    expect(await access({ "x-api-key": "w".repeat(32) })).toEqual({
      actor: "admin-key:ci",
      organizationId: "org_1",
      canWrite: true,
      address: "192.0.2.7",
      requestId: "req_1",
    });
    expect(await access({ "x-api-key": "r".repeat(32) })).toMatchObject({
      actor: "admin-key:reporting",
      canWrite: false,
    });
  });

  it("is for a person who signed in and is in an admin group, in their own organisation", async () => {
    expect(await access({ authorization: "Bearer finance" })).toMatchObject({
      actor: "oidc:usr_9",
      organizationId: "org_2",
      canWrite: true,
    });
  });

  it.each([
    ["nothing", {}],
    ["a key one letter short", { "x-api-key": "w".repeat(31) }],
    ["a key one letter long", { "x-api-key": "w".repeat(33) }],
    ["an admin key as a token", { authorization: `Bearer ${"w".repeat(32)}` }],
    ["somebody in no admin group", { authorization: "Bearer developer" }],
    ["a wrong key beside a right token", { "x-api-key": "x", authorization: "Bearer finance" }],
  ])("is refused with %s, in the same words", async (_, headers: Record<string, string>) => {
    expect(await refusal(headers)).toEqual([401, "missing or invalid admin credentials"]);
  });

  it("needs to be set up", async () => {
    expect(await refusal({ "x-api-key": "w".repeat(32) }, { settings: null })).toMatchObject([404, /no admin section/]);
  });

  it("by a key of several organisations' Weir is to the one that the key names, and to none by guess", async () => {
    const organizations = [ACME, UMBRELLA];
    expect(await access({ "x-api-key": "u".repeat(32) }, { organizations })).toMatchObject({ organizationId: "org_2" });
    const [status, message] = await refusal({ "x-api-key": "w".repeat(32) }, { organizations });
    expect([status, message]).toEqual([403, expect.stringContaining("there are several organizations")]);
    expect((await refusal({ "x-api-key": "u".repeat(32) }))[0]).toBe(403);
    const closed = [{ ...UMBRELLA, status: "revoked" as const }, ACME];
    expect((await refusal({ "x-api-key": "u".repeat(32) }, { organizations: closed }))[0]).toBe(403);
  });
});
