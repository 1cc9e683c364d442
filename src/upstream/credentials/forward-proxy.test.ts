import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { type CredentialContext, createCredential } from "./create-credential.ts";
import type { CredentialSource } from "./credential.ts";
import { connectProxy, type ConnectProxy } from "./testing/connect-proxy.ts";
import { type Answerer, FakeEndpoint, json } from "./testing/fake-endpoint.ts";
import { fakeServiceAccount } from "./testing/fake-google.ts";
import { selfSigned, type SelfSigned } from "./testing/fake-entra.ts";
import { credentialWorld } from "./testing/outage-scenario.ts";

const SCOPE = { region: "us-east-1", service: "bedrock" };
const STS_ANSWER =
  "<R><AccessKeyId>ASIA1</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>2099-01-01T00:00:00Z</Expiration></R>";
const TENANT = "11111111-2222-3333-4444-555555555555";

let directory: string;
let tls: SelfSigned;
let proxy: ConnectProxy;
let endpoint: FakeEndpoint;
let credential: CredentialSource;

/** Enough of every token endpoint for a library to be content. */
const answerer: Answerer = (request) => {
  if (request.method === "GET") {
    const origin = `https://${request.headers.host}/${TENANT}`;
    const urls = { authorization_endpoint: `${origin}/a`, token_endpoint: `${origin}/t`, issuer: `${origin}/v2.0` };
    return json(200, { ...urls, jwks_uri: `${origin}/k` });
  }
  if (!request.body.includes("Action="))
    return json(200, { access_token: "t", token_type: "Bearer", expires_in: 3_600 });
  const action = request.body.includes("WebIdentity") ? "AssumeRoleWithWebIdentity" : "AssumeRole";
  const credentials = `<Credentials>${STS_ANSWER.slice(3, -4)}</Credentials>`;
  const result = `<${action}Response><${action}Result>${credentials}</${action}Result></${action}Response>`;
  return { status: 200, headers: { "content-type": "text/xml" }, body: result };
};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "weir-proxy-"));
  tls = await selfSigned(directory);
  await writeFile(join(directory, "id-token"), "identity");
  await writeFile(join(directory, "sa.json"), fakeServiceAccount().keyFile);
});

afterAll(() => rm(directory, { recursive: true }));

beforeEach(async () => {
  proxy = await connectProxy();
  endpoint = await FakeEndpoint.start(answerer, tls);
});

afterEach(async () => {
  await credential.stop();
  await endpoint.stop();
  await proxy.stop();
  vi.unstubAllEnvs();
});

function throughProxy(noProxy: readonly string[] = []): CredentialContext {
  const { context } = credentialWorld();
  return { ...context, network: { proxy: { httpProxy: null, httpsProxy: proxy.url, noProxy }, ca: tls.cert } };
}

function assumeRole(noProxy: readonly string[] = []): CredentialSource {
  return createCredential(
    {
      kind: "aws_assume_role",
      roleArn: "arn:aws:iam::1:role/x",
      keys: { accessKeyId: "AKID", secretAccessKey: "s", sessionToken: null },
      profile: null,
      sessionName: null,
      externalId: null,
      durationSeconds: null,
      stsUrl: endpoint.url,
      scope: SCOPE,
    },
    throughProxy(noProxy),
  );
}

describe("a forward proxy", () => {
  it("is used by STS for assumed roles", async () => {
    credential = assumeRole();

    await credential.start();

    expect(credential.status()).toMatchObject({ state: "ready", failure: null });
    expect(proxy.tunnels).toEqual([endpoint.host]);
  });

  it("is left aside where the exceptions say so", async () => {
    credential = assumeRole(["127.0.0.1"]);

    await credential.start();

    expect(credential.status()).toMatchObject({ state: "ready", failure: null });
    expect(proxy.tunnels).toEqual([]);
  });

  it("is used by AWS's library for web identities", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", undefined);
    vi.stubEnv("AWS_PROFILE", undefined);
    vi.stubEnv("AWS_CONFIG_FILE", join(directory, "none"));
    vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(directory, "none"));
    vi.stubEnv("AWS_ENDPOINT_URL_STS", endpoint.url);
    vi.stubEnv("AWS_ROLE_ARN", "arn:aws:iam::1:role/x");
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", join(directory, "id-token"));
    credential = createCredential({ kind: "aws_chain", profile: null, scope: SCOPE }, throughProxy());

    await credential.start();

    expect(credential.status()).toMatchObject({ state: "ready", failure: null });
    expect(proxy.tunnels).toEqual([endpoint.host]);
  });

  it("is used by Google's library", async () => {
    const path = join(directory, "sa.json");
    const settings = { kind: "google_file", path, project: "p", tokenUrl: `${endpoint.url}/token` } as const;
    credential = createCredential(settings, throughProxy());

    await credential.start();

    expect(credential.status()).toMatchObject({ state: "ready", failure: null });
    expect(proxy.tunnels).toEqual([endpoint.host]);
  });

  it("is used by Microsoft's library", async () => {
    const identity = { tenantId: TENANT, clientId: "c", clientSecret: "secret", scope: "https://x/.default" };
    const settings = { kind: "entra_client_secret", ...identity, authorityHost: endpoint.url } as const;
    credential = createCredential(settings, throughProxy());

    await credential.start();

    expect(credential.status()).toMatchObject({ state: "ready", failure: null });
    expect(new Set(proxy.tunnels)).toEqual(new Set([endpoint.host]));
  });

  it("is used by Anthropic's federation", async () => {
    credential = createCredential(
      {
        kind: "anthropic_federation",
        federationRuleId: "fdrl_1",
        organizationId: "o",
        identityTokenFile: join(directory, "id-token"),
        workspaceId: null,
        serviceAccountId: null,
        baseUrl: endpoint.url,
      },
      throughProxy(),
    );

    await credential.start();

    expect(credential.status()).toMatchObject({ state: "ready", failure: null });
    expect(proxy.tunnels).toEqual([endpoint.host]);
  });
});
