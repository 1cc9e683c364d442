import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { createCredential } from "../create-credential.ts";
import type { CredentialSource } from "../credential.ts";
import { fakeAnthropicToken } from "../testing/fake-anthropic-token.ts";
import type { FakeEndpoint } from "../testing/fake-endpoint.ts";
import {
  credentialWorld,
  type CredentialWorld,
  headersOf,
  livesThroughAnOutage,
  nextAttempt,
  refusalOf,
} from "../testing/outage-scenario.ts";

const FIELDS = {
  federation_rule_id: "fdrl_1",
  organization_id: "00000000-0000-0000-0000-000000000001",
  workspace_id: "wrkspc_1",
  service_account_id: "svac_1",
};

let world: CredentialWorld;
let directory: string;
let tokenFile: string;
let assertion: string;
let endpoint: FakeEndpoint;
let credential: CredentialSource;

beforeEach(async () => {
  world = credentialWorld();
  directory = await mkdtemp(join(tmpdir(), "weir-federation-"));
  tokenFile = join(directory, "id-token");
  assertion = "opaque-identity-1";
  await writeFile(tokenFile, `${assertion}\n`);
  endpoint = await fakeAnthropicToken(world.time.clock, { assertion: () => assertion, fields: FIELDS });
  credential = federation(endpoint.url);
});

afterEach(async () => {
  await credential.stop();
  await endpoint.stop();
  await rm(directory, { recursive: true });
});

function federation(baseUrl: string): CredentialSource {
  return createCredential(
    {
      kind: "anthropic_federation",
      federationRuleId: FIELDS.federation_rule_id,
      organizationId: FIELDS.organization_id,
      identityTokenFile: tokenFile,
      workspaceId: FIELDS.workspace_id,
      serviceAccountId: FIELDS.service_account_id,
      baseUrl,
    },
    world.context,
  );
}

async function bearerSeen(): Promise<string> {
  return (await headersOf(credential))["authorization"]?.slice("Bearer ".length) ?? "";
}

describe("workload identity federation", () => {
  it("exchanges the identity token for bearers, and names the beta that they need", async () => {
    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });

    expect(credential.betas).toEqual(["oauth-2025-04-20"]);
    expect(world.logger.text).not.toContain(assertion);
  });

  it("reads the identity token anew for each exchange", async () => {
    await credential.start();
    assertion = "opaque-identity-2";
    await writeFile(tokenFile, assertion);

    await nextAttempt(credential, world.time);

    expect(credential.status().state).toBe("ready");
    expect(endpoint.requests.at(-1)?.body).toContain("opaque-identity-2");
  });

  it("that no rule allows is told with OAuth's code, and never shows the identity token", async () => {
    await writeFile(tokenFile, "opaque-identity-wrong");

    await credential.start();

    const { message } = await refusalOf(credential);
    expect(message).toContain("refused the request (401 invalid_grant)");
    expect(message).toContain("Check that the federation rule matches the identity token");
    expect(world.logger.text).toContain("no rule matches");
    expect(`${message}${world.logger.text}`).not.toContain("opaque-identity-wrong");
  });

  it.each([
    ["is empty", " \n", /token file is empty/],
    ["holds several lines", "a\nb", /does not hold one line of text/],
    ["is far too long", "x".repeat(17_000), /longer than 16384 bytes/],
  ])("with a token file that %s is not tried", async (_name, text, reason) => {
    await writeFile(tokenFile, text);

    await credential.start();

    expect((await refusalOf(credential)).message).toMatch(reason);
    expect(endpoint.requests).toEqual([]);
  });

  it("does not send an identity token in the clear", () => {
    expect(() => federation("http://api.example.com")).toThrow("only exchanged over https");
  });
});
