import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { jwtVerify } from "jose";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { GoogleGroups } from "./google-groups.ts";
import type { ProviderFetch } from "./oidc-provider.ts";

const keys = generateKeyPairSync("rsa", { modulusLength: 2048 });
const TOKEN_URL = "https://oauth2.example.com/token";
let directory = "";
let keyFile = "";

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "weir-google-"));
  keyFile = join(directory, "key.json");
  const private_key = keys.privateKey.export({ type: "pkcs8", format: "pem" });
  await writeFile(keyFile, JSON.stringify({ client_email: "weir@project.example", private_key, token_uri: TOKEN_URL }));
});

afterAll(async () => rm(directory, { recursive: true, force: true }));

/** Google as its documentation says: a token for a right assertion, groups in pages for a right token. */
function google(status = 200): { fetch: ProviderFetch; asked: string[] } {
  const asked: string[] = [];
  const fetch: ProviderFetch = async (url, { body, headers }) => {
    asked.push(url);
    if (url === TOKEN_URL) {
      const assertion =
        new URLSearchParams(body instanceof URLSearchParams || typeof body === "string" ? body : "").get("assertion") ??
        "";
      const { payload } = await jwtVerify(assertion, keys.publicKey, {
        audience: TOKEN_URL,
        issuer: "weir@project.example",
      });
      expect(payload).toMatchObject({ sub: "admin@example.com", scope: expect.stringContaining("group.readonly") });
      return Response.json({ access_token: "a token", expires_in: 3600 });
    }
    expect(new Headers(headers).get("authorization")).toBe("Bearer a token");
    if (status !== 200) return new Response("", { status });
    const isSecond = new URL(url).searchParams.get("pageToken") === "2";
    if (isSecond) return Response.json({ groups: [{ email: "ops@example.com" }] });
    return Response.json({ groups: [{ email: "dev@example.com" }], nextPageToken: "2" });
  };
  return { fetch, asked };
}

describe("a person's Google groups", () => {
  it("are read page by page, in an administrator's name", async () => {
    const { fetch, asked } = google();
    const groups = new GoogleGroups({ keyFile, adminEmail: "admin@example.com", fetch });
    expect(await groups.groupsOf("ada+x@example.com")).toEqual(["dev@example.com", "ops@example.com"]);
    expect(asked[1]).toContain("userKey=ada%2Bx%40example.com");
  });

  it("are never taken for none when Google does not tell them", async () => {
    const { fetch } = google(403);
    const groups = new GoogleGroups({ keyFile, adminEmail: "admin@example.com", fetch });
    await expect(groups.groupsOf("ada@example.com")).rejects.toThrow("answered 403");
  });
});
