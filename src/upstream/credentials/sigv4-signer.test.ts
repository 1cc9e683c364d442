import { createHash, createHmac } from "node:crypto";

import { SignatureV4 } from "@smithy/signature-v4";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

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

const signer = new SigV4Signer(SCOPE, new ManualClock(NOW_MS));

/** What an independent verifier says about the request with its signature, as a server would get it. */
function verdict(request: SignableRequest, keys: AwsKeys = KEYS): string | null {
  const signed = signer.sign(request, keys);
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
  it("is accepted by an independent verifier", () => {
    expect(verdict(REQUEST)).toBeNull();
  });

  it("is accepted with a session token", () => {
    expect(verdict(REQUEST, { ...KEYS, sessionToken: "IQoJb3JpZ2luX2VjEXAMPLE==" })).toBeNull();
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
  ])("is accepted for a path with %s", (_name, path) => {
    expect(verdict({ ...REQUEST, path })).toBeNull();
  });

  it("covers the headers that carry guardrails, workspace and betas", () => {
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
    const signed = signer.sign({ ...REQUEST, headers }, KEYS);

    expect(verdict({ ...REQUEST, headers })).toBeNull();
    expect(signed.at(-1)).toContain(
      "SignedHeaders=anthropic-beta;anthropic-workspace-id;content-type;host;x-amz-content-sha256;x-amz-date;x-amzn-bedrock-guardrailidentifier,",
    );
  });

  it("leaves out what may change on the way, and what is not text", () => {
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
    const signed = signer.sign({ ...REQUEST, headers }, KEYS);

    expect(signed.at(-1)).toContain("SignedHeaders=host;x-amz-content-sha256;x-amz-date,");
  });

  it("replaces a signature that the client brought", () => {
    const headers = ["x-amz-date", "20200101T000000Z", "x-amz-security-token", "theirs", "authorization", "AWS4 x"];
    const signed = signer.sign({ ...REQUEST, headers }, KEYS);

    expect(signed).toContain("20261103T120000Z");
    expect(signed).not.toContain("theirs");
  });

  it("is signed with new keys as soon as they are given", () => {
    const renewed = { ...KEYS, accessKeyId: "AKIDRENEWED", secretAccessKey: "another" };

    expect(verdict(REQUEST)).toBeNull();
    expect(verdict(REQUEST, renewed)).toBeNull();
    expect(verdict(REQUEST)).toBeNull();
  });

  it("is accepted for any path that has been escaped and any body", () => {
    const segment = fc.string({ unit: "grapheme", minLength: 1, maxLength: 20 }).map(encodeURIComponent);
    const paths = fc
      .array(
        segment.filter((text) => text !== "." && text !== ".."),
        { minLength: 1, maxLength: 5 },
      )
      .map((segments) => `/${segments.join("/")}`);
    const bodies = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));
    fc.assert(
      fc.property(paths, bodies, (path, body) => {
        expect(verdict({ ...REQUEST, path, body })).toBeNull();
      }),
    );
  });
});

describe("the signature of the AWS SDK for the same request", () => {
  class Sha256 {
    readonly #hash;

    constructor(secret?: string | ArrayBuffer | ArrayBufferView) {
      this.#hash = secret === undefined ? createHash("sha256") : createHmac("sha256", bytesOf(secret));
    }

    update(data: Uint8Array): void {
      this.#hash.update(data);
    }

    async digest(): Promise<Uint8Array> {
      return this.#hash.digest();
    }

    reset(): void {}
  }

  function bytesOf(secret: string | ArrayBuffer | ArrayBufferView): Uint8Array | string {
    if (typeof secret === "string") return secret;
    return ArrayBuffer.isView(secret)
      ? Buffer.from(secret.buffer, secret.byteOffset, secret.byteLength)
      : new Uint8Array(secret);
  }

  async function sdkHeaders(request: SignableRequest, query: Record<string, string>, keys: AwsKeys) {
    const { accessKeyId, secretAccessKey, sessionToken } = keys;
    const credentials = { accessKeyId, secretAccessKey, ...(sessionToken !== null && { sessionToken }) };
    const sdk = new SignatureV4({ ...SCOPE, credentials, sha256: Sha256 });
    const headers: Record<string, string> = { host: request.host };
    for (let i = 0; i + 1 < request.headers.length; i += 2)
      headers[request.headers[i] ?? ""] = request.headers[i + 1] ?? "";
    const { method, path, body, host: hostname } = request;
    const asked = { method, protocol: "https:", hostname, path, query, headers, body };
    return (await sdk.sign(asked, { signingDate: new Date(NOW_MS) })).headers;
  }

  const text = fc.string({ unit: "grapheme", maxLength: 12 });
  const requests = fc.record({
    segments: fc.array(fc.oneof(text.map(encodeURIComponent), fc.constantFrom("", ".", "..", "a%2Fb", "m:0")), {
      maxLength: 5,
    }),
    // The SDK loses a parameter of the name `__proto__`.
    query: fc.dictionary(
      text.filter((name) => name !== "__proto__"),
      text,
      { maxKeys: 4, noNullPrototype: true },
    ),
    headers: fc.dictionary(
      fc.constantFrom("content-type", "x-amzn-bedrock-trace", "anthropic-beta", "anthropic-version"),
      fc.string({ unit: fc.constantFrom("a", "B", " ", "\t", ",", "=", "-"), maxLength: 12 }),
      { noNullPrototype: true },
    ),
    body: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)),
    token: fc.option(fc.base64String({ minLength: 1 })),
  });

  it("is this one, whatever is signed", async () => {
    await fc.assert(
      fc.asyncProperty(requests, async ({ segments, query, headers, body, token }) => {
        const keys = { ...KEYS, sessionToken: token };
        const path = `/${segments.join("/")}`;
        const search = Object.entries(query).map((pair) => pair.map(encodeURIComponent).join("="));
        const { host } = REQUEST;
        const request = { method: "POST", host, path, headers: Object.entries(headers).flat(), body };
        const expected = await sdkHeaders(request, query, keys);

        const asked = { ...request, path: search.length === 0 ? path : `${path}?${search.join("&")}` };
        expect(signer.sign(asked, keys)).toEqual(
          ["x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "authorization"].flatMap((name) =>
            expected[name] === undefined ? [] : [name, expected[name]],
          ),
        );
      }),
    );
  });
});

describe("a signer that lives on", () => {
  it("signs with the date of the moment, also after midnight", () => {
    const clock = new ManualClock(Date.UTC(2026, 10, 3, 23, 59, 59));
    const living = new SigV4Signer(SCOPE, clock);
    const verdictNow = (): string | null => {
      const headers = ["host", REQUEST.host, ...REQUEST.headers, ...living.sign(REQUEST, KEYS)];
      const { accessKeyId, secretAccessKey } = KEYS;
      return verifySigV4({ ...REQUEST, headers }, { accessKeyId, secretAccessKey, ...SCOPE, nowMs: clock.nowMs() });
    };

    expect(verdictNow()).toBeNull();
    clock.advance(2_000);
    expect(verdictNow()).toBeNull();
    expect(living.sign(REQUEST, KEYS)[1]).toBe("20261104T000001Z");
  });
});
