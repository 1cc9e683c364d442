/** Where the clouds' workloads get their tokens, asked by the clouds' own libraries. */
import { ManagedIdentityCredential } from "@azure/identity";
import { defaultProvider } from "@aws-sdk/credential-provider-node";
import { GoogleAuth } from "google-auth-library";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { TEST_AWS_KEYS } from "./aws-auth.ts";
import { TokenServer } from "./token-server.ts";

describe("the token server", () => {
  const issued: string[] = [];
  let server: TokenServer;

  beforeEach(async () => {
    server = new TokenServer({
      onToken: (token) => issued.push(token),
      awsKeys: { ...TEST_AWS_KEYS, sessionToken: "session" },
    });
    await server.start();
    vi.stubEnv("HOME", "/nonexistent");
  });
  afterEach(async () => {
    vi.unstubAllEnvs();
    issued.length = 0;
    await server.stop();
  });

  const take = (environment: Readonly<Record<string, string>>): void => {
    for (const [name, value] of Object.entries(environment)) vi.stubEnv(name, value);
  };

  it("gives Google's library a token through the metadata server", async () => {
    take(server.environment.google);
    const auth = new GoogleAuth({ scopes: "https://www.googleapis.com/auth/cloud-platform" });
    expect(await auth.getAccessToken()).toBe(issued[0]);
    expect(server.asked).toEqual(["google"]);
    expect(server.problems).toEqual([]);
  });

  it("gives Azure's library a token for a managed identity", async () => {
    take(server.environment.azure);
    const token = await new ManagedIdentityCredential().getToken("https://cognitiveservices.azure.com/.default");
    expect(token.token).toBe(issued[0]);
    expect(server.problems).toEqual([]);
  });

  it("gives AWS's library the keys of a container", async () => {
    take(server.environment.aws);
    for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_PROFILE"]) vi.stubEnv(name, undefined);
    const keys = await defaultProvider()();
    expect(keys).toMatchObject({ accessKeyId: TEST_AWS_KEYS.accessKeyId, sessionToken: "session" });
    expect(server.problems).toEqual([]);
  });

  it("refuses whoever lacks the header that a redirect cannot forge, and fails when told", async () => {
    const { GCE_METADATA_HOST: host = "" } = server.environment.google;
    const url = `http://${host}/computeMetadata/v1/instance/service-accounts/default/token`;
    expect((await fetch(url)).status).toBe(403);
    expect(server.problems).toHaveLength(1);
    server.failStatus = 503;
    expect((await fetch(url, { headers: { "metadata-flavor": "Google" } })).status).toBe(503);
    expect(issued).toEqual([]);
  });
});
