import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";

import { createCredential } from "../create-credential.ts";
import type { CredentialSource } from "../credential.ts";
import type { FakeEndpoint } from "../testing/fake-endpoint.ts";
import {
  fakeGoogleMetadata,
  fakeGoogleSts,
  fakeGoogleToken,
  fakeServiceAccount,
  federationFile,
} from "../testing/fake-google.ts";
import {
  credentialWorld,
  type CredentialWorld,
  headersOf,
  livesThroughAnOutage,
  refusalOf,
} from "../testing/outage-scenario.ts";

let world: CredentialWorld;
let directory: string;
let credential: CredentialSource;
const open: FakeEndpoint[] = [];

beforeEach(async () => {
  world = credentialWorld();
  directory = await mkdtemp(join(tmpdir(), "weir-google-"));
  vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", undefined);
  vi.stubEnv("CLOUDSDK_CONFIG", directory);
  vi.stubEnv("HOME", directory);
});

afterEach(async () => {
  await credential.stop();
  await Promise.all(open.splice(0).map((endpoint) => endpoint.stop()));
  vi.unstubAllEnvs();
  await rm(directory, { recursive: true });
});

async function written(name: string, text: string): Promise<string> {
  const path = join(directory, name);
  await writeFile(path, text);
  return path;
}

async function bearerSeen(): Promise<string> {
  return ((await headersOf(credential))["authorization"] ?? "").replace("Bearer ", "");
}

describe("a service account's key file", () => {
  it("is exchanged for tokens by a signed assertion", async () => {
    const account = fakeServiceAccount();
    const endpoint = await fakeGoogleToken(world.time.clock, account);
    open.push(endpoint);
    const path = await written("sa.json", account.keyFile);
    credential = createCredential(
      { kind: "google_file", path, project: "p", tokenUrl: `${endpoint.url}/token` },
      world.context,
    );

    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });

    expect(await bearerSeen()).toBe("ya29.fake-token-3");
    expect(world.logger.text).not.toContain("PRIVATE KEY");
  });

  it("that Google refuses is told with OAuth's code", async () => {
    const endpoint = await fakeGoogleToken(world.time.clock, fakeServiceAccount());
    open.push(endpoint);
    const path = await written("sa.json", fakeServiceAccount().keyFile);
    credential = createCredential(
      { kind: "google_file", path, project: "p", tokenUrl: `${endpoint.url}/token` },
      world.context,
    );

    await credential.start();

    expect((await refusalOf(credential)).message).toContain("refused the request (400 invalid_grant)");
  });

  it("that is missing is told as such, without its path", async () => {
    const path = join(directory, "absent.json");
    credential = createCredential({ kind: "google_file", path, project: "p", tokenUrl: null }, world.context);

    await credential.start();

    const { message } = await refusalOf(credential);
    expect(message).toContain("(Google credentials file) has not been obtained: a file that it needs cannot be read");
    expect(message).not.toContain(directory);
    expect(credential.status().failure?.reason).toContain("absent.json");
  });
});

describe("a credentials file", () => {
  it("may describe workload identity federation", async () => {
    const endpoint = await fakeGoogleSts(world.time.clock, () => "subject");
    open.push(endpoint);
    const path = await written("wif.json", federationFile(endpoint, await written("subject", "subject")));
    credential = createCredential({ kind: "google_file", path, project: "p", tokenUrl: null }, world.context);

    await credential.start();

    expect(await bearerSeen()).toBe("ya29.federated-token-1");
  });

  it.each([
    ["is not JSON", "{private", /is not JSON/],
    ["says no type", "{}", /says no `type`/],
    ["is of another type", '{"type":"authorized_user"}', /of type "authorized_user", not a service account/],
  ])("that %s is refused", async (_name, text, reason) => {
    const path = await written("odd.json", text);
    credential = createCredential({ kind: "google_file", path, project: "p", tokenUrl: null }, world.context);

    await credential.start();

    expect((await refusalOf(credential)).message).toMatch(reason);
  });
});

describe("the application default credentials", () => {
  it("come from the metadata service, with its header", async () => {
    const endpoint = await fakeGoogleMetadata(world.time.clock);
    open.push(endpoint);
    vi.stubEnv("GCE_METADATA_HOST", endpoint.host);
    vi.stubEnv("METADATA_SERVER_DETECTION", "assume-present");
    credential = createCredential({ kind: "google_default", project: "p", tokenUrl: null }, world.context);

    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });

    expect(endpoint.requests[0]?.headers["metadata-flavor"]).toBe("Google");
  });

  it("come from workload identity federation where the environment names its file", async () => {
    const subject = "opaque-subject-token";
    const endpoint = await fakeGoogleSts(world.time.clock, () => subject);
    open.push(endpoint);
    const tokenFile = await written("subject", subject);
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", await written("wif.json", federationFile(endpoint, tokenFile)));
    credential = createCredential({ kind: "google_default", project: "p", tokenUrl: null }, world.context);

    await livesThroughAnOutage({ credential, endpoint, world, seen: bearerSeen });

    expect(await bearerSeen()).toBe("ya29.federated-token-3");
    expect(world.logger.text).not.toContain(subject);
  });

  it("name the project that pays for a person's calls", async () => {
    const account = fakeServiceAccount();
    const endpoint = await fakeGoogleToken(world.time.clock, account);
    open.push(endpoint);
    const keyFile = JSON.stringify({ ...JSON.parse(account.keyFile), quota_project_id: "example-billing" });
    vi.stubEnv("GOOGLE_APPLICATION_CREDENTIALS", await written("sa.json", keyFile));
    credential = createCredential(
      { kind: "google_default", project: "p", tokenUrl: `${endpoint.url}/token` },
      world.context,
    );

    await credential.start();

    expect(await headersOf(credential)).toEqual({
      authorization: "Bearer ya29.fake-token-1",
      "x-goog-user-project": "example-billing",
    });
  });
});
