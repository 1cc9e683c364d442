import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createCredential } from "../create-credential.ts";
import type { CredentialSource } from "../credential.ts";
import { fakeContainer, fakeImds, fakeKeys, type FakeKeys, fakeSts, type KeyEndpoint } from "../testing/fake-aws.ts";
import {
  credentialWorld,
  type CredentialWorld,
  headersOf,
  livesThroughAnOutage,
  nextAttempt,
  refusalOf,
  REQUEST,
  started,
} from "../testing/outage-scenario.ts";
import { verifySigV4 } from "../testing/verify-sigv4.ts";

const SCOPE = { region: "us-east-1", service: "bedrock" };
const ROLE_ARN = "arn:aws:iam::123456789012:role/weir";
const EXPLICIT: FakeKeys = { accessKeyId: "AKIDEXPLICIT", secretAccessKey: "explicit-secret", sessionToken: "" };

let world: CredentialWorld;
let directory: string;
let credential: CredentialSource;
const open: KeyEndpoint[] = [];

beforeEach(async () => {
  world = credentialWorld();
  directory = await mkdtemp(join(tmpdir(), "weir-aws-"));
  vi.stubEnv("AWS_EC2_METADATA_DISABLED", "true");
  for (const name of ["AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE"])
    vi.stubEnv(name, undefined);
  vi.stubEnv("AWS_CONFIG_FILE", join(directory, "config"));
  vi.stubEnv("AWS_SHARED_CREDENTIALS_FILE", join(directory, "credentials"));
});

afterEach(async () => {
  await credential.stop();
  expect(world.time.waiting).toBe(0);
  await Promise.all(open.splice(0).map(({ endpoint }) => endpoint.stop()));
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

function using(endpoint: KeyEndpoint): KeyEndpoint {
  open.push(endpoint);
  return endpoint;
}

/** The keys that a request is signed with, by trial of those that the fake has given. */
async function signedWith(fake: KeyEndpoint): Promise<string> {
  const signed = await credential.headers(REQUEST);
  const headers = ["host", REQUEST.host, ...REQUEST.headers, ...signed];
  for (let n = 1; n <= fake.given(); n += 1) {
    const reason = verifySigV4({ ...REQUEST, headers }, { ...fakeKeys(n), ...SCOPE });
    if (reason === null) return fakeKeys(n).secretAccessKey;
  }
  throw new Error("signed with none of the keys given");
}

describe("the default chain", () => {
  it("takes keys from EC2's metadata, version 2", async () => {
    const fake = using(await fakeImds(world.time.clock));
    vi.stubEnv("AWS_EC2_METADATA_DISABLED", "false");
    vi.stubEnv("AWS_EC2_METADATA_SERVICE_ENDPOINT", fake.endpoint.url);
    credential = createCredential({ kind: "aws_chain", profile: null, scope: SCOPE }, world.context);

    await livesThroughAnOutage({ credential, endpoint: fake.endpoint, world, seen: () => signedWith(fake) });

    expect(fake.endpoint.requests[0]).toMatchObject({ method: "PUT", path: "/latest/api/token" });
  });

  it("takes keys from a container's endpoint, with its authorization token", async () => {
    const fake = using(await fakeContainer(world.time.clock, "pod-identity-token"));
    vi.stubEnv("AWS_CONTAINER_CREDENTIALS_FULL_URI", `${fake.endpoint.url}/v1/credentials`);
    vi.stubEnv("AWS_CONTAINER_AUTHORIZATION_TOKEN", "pod-identity-token");
    credential = createCredential({ kind: "aws_chain", profile: null, scope: SCOPE }, world.context);

    await livesThroughAnOutage({ credential, endpoint: fake.endpoint, world, seen: () => signedWith(fake) });
  });

  it("exchanges a web identity (IRSA), reading its file each time", async () => {
    let token = "projected-token-1";
    const tokenFile = join(directory, "token");
    await writeFile(tokenFile, token);
    const expected = { roleArn: ROLE_ARN, webIdentity: () => token, callers: [] };
    const fake = using(await fakeSts(world.time.clock, expected));
    vi.stubEnv("AWS_ENDPOINT_URL_STS", fake.endpoint.url);
    vi.stubEnv("AWS_ROLE_ARN", ROLE_ARN);
    vi.stubEnv("AWS_WEB_IDENTITY_TOKEN_FILE", tokenFile);
    credential = createCredential({ kind: "aws_chain", profile: null, scope: SCOPE }, world.context);

    await livesThroughAnOutage({ credential, endpoint: fake.endpoint, world, seen: () => signedWith(fake) });
    token = "projected-token-2";
    await nextAttempt(credential, world.time);
    expect(credential.status().failure?.reason).toContain("no & never");
    await writeFile(tokenFile, token);
    await nextAttempt(credential, world.time);

    expect(credential.status().state).toBe("ready");
    expect(world.logger.text).not.toContain("projected-token");
  });

  it("takes keys from the environment, also where a profile is set", async () => {
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "environment-secret");
    vi.stubEnv("AWS_PROFILE", "other");
    credential = createCredential({ kind: "aws_chain", profile: null, scope: SCOPE }, world.context);

    await started(credential);

    expect((await headersOf(credential))["authorization"]).toContain("Credential=AKIDENV/");
  });

  it("takes keys from the profile that is asked for, whatever the environment has, and notices when they are rotated", async () => {
    const profile = (id: string): string => `[claude]\naws_access_key_id = ${id}\naws_secret_access_key = s\n`;
    vi.stubEnv("AWS_ACCESS_KEY_ID", "AKIDENV");
    vi.stubEnv("AWS_SECRET_ACCESS_KEY", "environment-secret");
    await writeFile(join(directory, "credentials"), profile("AKIDPROFILE1"));
    credential = createCredential({ kind: "aws_chain", profile: "claude", scope: SCOPE }, world.context);
    await started(credential);
    expect((await headersOf(credential))["authorization"]).toContain("Credential=AKIDPROFILE1/");

    await writeFile(join(directory, "credentials"), profile("AKIDPROFILE2"));
    await nextAttempt(credential, world.time);

    expect((await headersOf(credential))["authorization"]).toContain("Credential=AKIDPROFILE2/");
  });

  it("says that it found nothing, and what to do", async () => {
    credential = createCredential({ kind: "aws_chain", profile: null, scope: SCOPE }, world.context);

    await credential.start();

    const { message } = await refusalOf(credential);
    expect(message).toContain("(AWS default chain) has not been obtained: no source of credentials was found");
    expect(message).toContain("Give the machine, pod or task a role");
  });
});

describe("an assumed role", () => {
  function roleOf(fake: KeyEndpoint): CredentialSource {
    return createCredential(
      {
        kind: "aws_assume_role",
        roleArn: ROLE_ARN,
        keys: { ...EXPLICIT, sessionToken: null },
        profile: null,
        sessionName: null,
        externalId: "org & unit",
        durationSeconds: 900,
        stsUrl: fake.endpoint.url,
        scope: SCOPE,
      },
      world.context,
    );
  }

  it("gives keys that are renewed, asked for with a signature that STS accepts", async () => {
    const expected = { roleArn: ROLE_ARN, webIdentity: () => "", callers: [EXPLICIT] };
    const fake = using(await fakeSts(world.time.clock, expected));
    credential = roleOf(fake);

    await livesThroughAnOutage({ credential, endpoint: fake.endpoint, world, seen: () => signedWith(fake) });

    const form = new URLSearchParams(fake.endpoint.requests[0]?.body);
    expect(Object.fromEntries(form)).toMatchObject({
      Action: "AssumeRole",
      RoleSessionName: "weir",
      ExternalId: "org & unit",
      DurationSeconds: "900",
    });
  });

  it("that may not be assumed is told with STS's own code, its words in the log alone", async () => {
    const fake = using(await fakeSts(world.time.clock, { roleArn: "arn:other", webIdentity: () => "", callers: [] }));
    credential = roleOf(fake);

    await credential.start();

    expect((await refusalOf(credential)).message).toContain("refused the request (403 AccessDenied)");
    expect(world.logger.text).toContain("no & never");
  });
});

describe("keys of the configuration", () => {
  it("sign at once and for good", async () => {
    credential = createCredential(
      { kind: "aws_keys", accessKeyId: "AKIDEXPLICIT", secretAccessKey: "s", sessionToken: null, scope: SCOPE },
      world.context,
    );

    await started(credential);

    expect(credential.status()).toMatchObject({ expiresAtMs: null, nextAttemptAtMs: null });
    expect((await headersOf(credential))["authorization"]).toContain("Credential=AKIDEXPLICIT/");
  });
});
