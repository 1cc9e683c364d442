import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from "vitest";

import { createCredential } from "../create-credential.ts";
import type { CredentialSource } from "../credential.ts";
import type { FakeEndpoint } from "../testing/fake-endpoint.ts";
import { fakeAppService, fakeEntra, selfSigned, type SelfSigned } from "../testing/fake-entra.ts";
import {
  credentialWorld,
  type CredentialWorld,
  headersOf,
  livesThroughAnOutage,
  refusalOf,
} from "../testing/outage-scenario.ts";

const TENANT = "11111111-2222-3333-4444-555555555555";
const CLIENT = "66666666-7777-8888-9999-000000000000";
const SECRET = "entra~client-secret";
const SCOPE = "https://ai.azure.com/.default";

let directory: string;
let tls: SelfSigned;
let world: CredentialWorld;
let credential: CredentialSource;
const open: FakeEndpoint[] = [];

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), "weir-entra-"));
  tls = await selfSigned(directory);
});

afterAll(() => rm(directory, { recursive: true }));

beforeEach(() => {
  world = credentialWorld(tls.cert);
});

afterEach(async () => {
  await credential.stop();
  await Promise.all(open.splice(0).map((endpoint) => endpoint.stop()));
  vi.unstubAllEnvs();
});

async function using(endpoint: Promise<FakeEndpoint>): Promise<FakeEndpoint> {
  open.push(await endpoint);
  return endpoint;
}

async function bearerSeen(): Promise<string> {
  return ((await headersOf(credential))["authorization"] ?? "").replace("Bearer ", "");
}

describe("an application's secret", () => {
  const proof = (): Record<string, string> => ({ client_id: CLIENT, client_secret: SECRET });

  it("is exchanged for tokens of the scope", async () => {
    const endpoint = await using(fakeEntra(world.time.clock, tls, { tenant: TENANT, scope: SCOPE, proof }));
    credential = createCredential(
      {
        kind: "entra_client_secret",
        tenantId: TENANT,
        clientId: CLIENT,
        clientSecret: SECRET,
        scope: SCOPE,
        authorityHost: endpoint.url,
      },
      world.context,
    );

    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });

    expect(await bearerSeen()).toBe("entra-token-3");
    expect(world.logger.text).not.toContain(SECRET);
  });

  it("that Entra refuses is told with OAuth's code, Entra's words in the log alone", async () => {
    const endpoint = await using(fakeEntra(world.time.clock, tls, { tenant: TENANT, scope: SCOPE, proof }));
    credential = createCredential(
      {
        kind: "entra_client_secret",
        tenantId: TENANT,
        clientId: CLIENT,
        clientSecret: "stale-secret",
        scope: SCOPE,
        authorityHost: endpoint.url,
      },
      world.context,
    );

    await credential.start();

    expect((await refusalOf(credential)).message).toContain("refused the request (401 invalid_client)");
    expect(world.logger.text).toContain("AADSTS7000215");
    expect(world.logger.text).not.toContain("stale-secret");
  });

  it("is found in the environment by the default credential, at the authority that the environment names", async () => {
    const endpoint = await using(fakeEntra(world.time.clock, tls, { tenant: TENANT, scope: SCOPE, proof }));
    vi.stubEnv("AZURE_AUTHORITY_HOST", endpoint.url);
    vi.stubEnv("AZURE_TENANT_ID", TENANT);
    vi.stubEnv("AZURE_CLIENT_ID", CLIENT);
    vi.stubEnv("AZURE_CLIENT_SECRET", SECRET);
    credential = createCredential(
      { kind: "entra_default", clientId: null, scope: SCOPE, authorityHost: null },
      world.context,
    );

    await credential.start();

    expect(await bearerSeen()).toBe("entra-token-1");
  });
});

describe("workload identity", () => {
  it("exchanges the projected token, reading its file each time", async () => {
    let assertion = "projected-assertion-1";
    const tokenFile = join(directory, "federated");
    await writeFile(tokenFile, assertion);
    const proof = (): Record<string, string> => ({ client_id: CLIENT, client_assertion: assertion });
    const endpoint = await using(fakeEntra(world.time.clock, tls, { tenant: TENANT, scope: SCOPE, proof }));
    credential = createCredential(
      {
        kind: "entra_workload_identity",
        tenantId: TENANT,
        clientId: CLIENT,
        tokenFile,
        scope: SCOPE,
        authorityHost: endpoint.url,
      },
      world.context,
    );

    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });
    assertion = "projected-assertion-2";
    await writeFile(tokenFile, assertion);
    credential.invalidate();
    await vi.waitFor(async () => expect(await bearerSeen()).toBe("entra-token-4"), { timeout: 10_000 });

    expect(world.logger.text).not.toContain("projected-assertion");
  });
});

describe("a managed identity", () => {
  it("takes tokens from App Service's endpoint, with its secret", async () => {
    const endpoint = await using(fakeAppService(world.time.clock, "identity-secret", "https://ai.azure.com"));
    vi.stubEnv("IDENTITY_ENDPOINT", `${endpoint.url}/msi/token`);
    vi.stubEnv("IDENTITY_HEADER", "identity-secret");
    credential = createCredential(
      { kind: "entra_managed_identity", clientId: null, scope: SCOPE, authorityHost: null },
      world.context,
    );

    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });
  });
});
