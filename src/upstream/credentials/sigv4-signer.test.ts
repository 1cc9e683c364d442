import * as fc from "fast-check";
import { beforeAll, describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import type { AwsKeys } from "./aws-keys.ts";
import type { SignableRequest } from "./credential.ts";
import { SigV4Signer } from "./sigv4-signer.ts";
import { verifySigV4 } from "./testing/verify-sigv4.ts";

const KEYS: AwsKeys = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  sessionToken: null,
};
const SCOPE = { region: "us-east-1", service: "bedrock" };
const NOW_MS = Date.UTC(2026, 10, 3, 12, 0, 0);

const ARN = "arn:aws:bedrock:us-east-1:123456789012:inference-profile%2Fus.anthropic.claude-opus-4-8-v1:0";

const REQUEST: SignableRequest = {
  method: "POST",
  host: "bedrock-runtime.us-east-1.amazonaws.com",
  path: "/model/us.anthropic.claude-opus-4-8-v1:0/invoke",
  headers: ["content-type", "application/json", "accept", "application/json"],
  body: Buffer.from('{"max_tokens":1}'),
};

let signer: SigV4Signer;

beforeAll(async () => {
  signer = await SigV4Signer.load(SCOPE, new ManualClock(NOW_MS));
});

/** What an independent verifier says about the request with its signature, as a server would get it. */
async function verdict(request: SignableRequest, keys: AwsKeys = KEYS): Promise<string | null> {
  const signed = await signer.sign(request, keys);
  return verifySigV4(
    {
      method: request.method,
      path: request.path,
      headers: ["host", request.host, ...request.headers, "user-agent", "undici", ...signed],
      body: request.body,
    },
    {
      accessKeyId: keys.accessKeyId,
      secretAccessKey: keys.secretAccessKey,
      ...(keys.sessionToken !== null && { sessionToken: keys.sessionToken }),
      ...SCOPE,
      nowMs: NOW_MS,
    },
  );
}

describe("a signed request", () => {
  it("is accepted by an independent verifier", async () => {
    expect(await verdict(REQUEST)).toBeNull();
  });

  it("is accepted with a session token", async () => {
    expect(await verdict(REQUEST, { ...KEYS, sessionToken: "IQoJb3JpZ2luX2VjEXAMPLE==" })).toBeNull();
  });

  it.each([
    ["an ARN with its slash escaped", `/model/${ARN}/invoke-with-response-stream`],
    ["an ARN with its colons escaped too", `/model/${ARN.replaceAll(":", "%3A")}/invoke`],
    ["a prefix of a proxy", "/gateway/bedrock/model/m/invoke"],
    ["a query", "/v1/messages?beta=true"],
    ["a query with escapes, no values and a repeated name", "/v1/messages?b=%20%2F&a&b=1&c=x+y"],
    ["a query with a stray percent sign escaped", "/v1/messages?a=100%25"],
    ["characters that the URL allows bare", "/model/a!b'c(d)e*f@g/invoke"],
    ["a slash at the end", "/v1/models/"],
    ["text beyond ASCII", "/model/%E6%A8%A1%E5%9E%8B/invoke"],
  ])("is accepted for a path with %s", async (_name, path) => {
    expect(await verdict({ ...REQUEST, path })).toBeNull();
  });

  it("covers the headers that carry guardrails, workspace and betas", async () => {
    const headers = [
      "content-type",
      "application/json",
      "x-amzn-bedrock-guardrailidentifier",
      "gr-1",
      "anthropic-workspace-id",
      "wrkspc_1",
      "anthropic-beta",
      "a",
      "anthropic-beta",
      "b",
    ];
    const signed = await signer.sign({ ...REQUEST, headers }, KEYS);

    expect(await verdict({ ...REQUEST, headers })).toBeNull();
    expect(signed.at(-1)).toContain(
      "SignedHeaders=anthropic-beta;anthropic-workspace-id;content-type;host;x-amz-content-sha256;x-amz-date;x-amzn-bedrock-guardrailidentifier,",
    );
  });

  it("leaves out what may change on the way, and what is not text", async () => {
    const headers = [
      "accept-encoding",
      "gzip",
      "user-agent",
      "x",
      "x-amzn-trace-id",
      "Root=1",
      "traceparent",
      "00-1",
      "anthropic-odd",
      "caf\u00e9",
    ];
    const signed = await signer.sign({ ...REQUEST, headers }, KEYS);

    expect(signed.at(-1)).toContain("SignedHeaders=host;x-amz-content-sha256;x-amz-date,");
  });

  it("replaces a signature that the client brought", async () => {
    const headers = ["x-amz-date", "20200101T000000Z", "x-amz-security-token", "theirs", "authorization", "AWS4 x"];
    const signed = await signer.sign({ ...REQUEST, headers }, KEYS);

    expect(signed).toContain("20261103T120000Z");
    expect(signed).not.toContain("theirs");
  });

  it("is signed with new keys as soon as they are given", async () => {
    const renewed = { ...KEYS, accessKeyId: "AKIDRENEWED", secretAccessKey: "another" };

    expect(await verdict(REQUEST)).toBeNull();
    expect(await verdict(REQUEST, renewed)).toBeNull();
    expect(await verdict(REQUEST)).toBeNull();
  });

  it("is accepted for any path that has been escaped and any body", async () => {
    const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map(encodeURIComponent);
    const paths = fc
      .array(
        segment.filter((text) => text !== "." && text !== ".."),
        { minLength: 1, maxLength: 5 },
      )
      .map((segments) => `/${segments.join("/")}`);
    const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    await fc.assert(
      fc.asyncProperty(paths, bodies, async (path, body) => {
        expect(await verdict({ ...REQUEST, path, body })).toBeNull();
      }),
    );
  });
});
