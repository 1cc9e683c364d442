import { afterEach, describe, expect, it, vi } from "vitest";

import { createCredential } from "../create-credential.ts";
import { fakeAzureImds } from "../testing/fake-entra.ts";
import { credentialWorld, headersOf, livesThroughAnOutage } from "../testing/outage-scenario.ts";

// In a file of its own: the library looks once in a process where managed identities come from.

const CLIENT = "66666666-7777-8888-9999-000000000000";

afterEach(() => {
  vi.unstubAllEnvs();
});

describe("a managed identity", () => {
  it("takes tokens from a virtual machine's metadata", async () => {
    const world = credentialWorld();
    const resource = "https://cognitiveservices.azure.com";
    const endpoint = await fakeAzureImds(world.time.clock, resource);
    vi.stubEnv("AZURE_POD_IDENTITY_AUTHORITY_HOST", endpoint.url);
    const credential = createCredential(
      { kind: "entra_managed_identity", clientId: CLIENT, scope: `${resource}/.default`, authorityHost: null },
      world.context,
    );
    const seen = async (): Promise<string> => (await headersOf(credential))["authorization"]?.slice(7) ?? "";

    await livesThroughAnOutage({ credential, endpoint, world, seen });

    expect(endpoint.requests[0]?.path).toContain(`client_id=${CLIENT}`);
    await credential.stop();
    await endpoint.stop();
  });
});
