import { describe, expect, it } from "vitest";

import { type ExpectedSigner, type ReceivedRequest, verifySigV4 } from "./verify-sigv4.ts";

/** AWS's own example keys, used in its published signature examples and test suite. */
const SIGNER: ExpectedSigner = {
  accessKeyId: "AKIDEXAMPLE",
  secretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
  region: "us-east-1",
  service: "service",
};

const DATE = "20150830T123600Z";

function authorization(service: string, signedHeaders: string, signature: string): string {
  const scope = `20150830/us-east-1/${service}/aws4_request`;
  return `AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/${scope}, SignedHeaders=${signedHeaders}, Signature=${signature}`;
}

/** `get-vanilla` of AWS's test suite. */
const VANILLA = {
  method: "GET",
  path: "/",
  headers: {
    host: "example.amazonaws.com",
    "x-amz-date": DATE,
    authorization: authorization(
      "service",
      "host;x-amz-date",
      "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31",
    ),
  },
  body: "",
} satisfies ReceivedRequest;

describe("a signature that AWS published", () => {
  it("is accepted for the plain request of the test suite", () => {
    expect(verifySigV4(VANILLA, SIGNER)).toBeNull();
  });

  it("is accepted for the ListUsers example, with a query and a content type", () => {
    const request = {
      method: "GET",
      path: "/?Action=ListUsers&Version=2010-05-08",
      headers: [
        "Host",
        "iam.amazonaws.com",
        "X-Amz-Date",
        DATE,
        "Content-Type",
        "application/x-www-form-urlencoded; charset=utf-8",
        "Authorization",
        authorization(
          "iam",
          "content-type;host;x-amz-date",
          "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
        ),
      ],
      body: "",
    };

    expect(verifySigV4(request, { ...SIGNER, service: "iam" })).toBeNull();
  });

  it("is accepted for a query in another order (get-vanilla-query-order-key-case)", () => {
    const signature = "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500";
    const headers = { ...VANILLA.headers, authorization: authorization("service", "host;x-amz-date", signature) };

    expect(verifySigV4({ ...VANILLA, path: "/?Param2=value2&Param1=value1", headers }, SIGNER)).toBeNull();
  });

  it("is accepted for a POST (post-vanilla)", () => {
    const signature = "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b";
    const headers = { ...VANILLA.headers, authorization: authorization("service", "host;x-amz-date", signature) };

    expect(verifySigV4({ ...VANILLA, method: "POST", headers }, SIGNER)).toBeNull();
  });
});

describe("a request is refused", () => {
  const changed: readonly [string, ReceivedRequest, RegExp][] = [
    ["without a signature", { ...VANILLA, headers: { host: "h" } }, /no SigV4 authorization header \(got none\)/],
    [
      "with a bearer instead",
      { ...VANILLA, headers: { host: "h", authorization: "Bearer x" } },
      /no SigV4 authorization header \(got Bearer\)/,
    ],
    ["with another path", { ...VANILLA, path: "/model" }, /signature does not match/],
    ["with another method", { ...VANILLA, method: "PUT" }, /signature does not match/],
    ["with another body", { ...VANILLA, body: "{}" }, /signature does not match/],
    ["with another query", { ...VANILLA, path: "/?a=b" }, /signature does not match/],
    [
      "with another host",
      { ...VANILLA, headers: { ...VANILLA.headers, host: "other.amazonaws.com" } },
      /signature does not match/,
    ],
    [
      "with an x-amz header that is not signed",
      { ...VANILLA, headers: { ...VANILLA.headers, "x-amz-target": "x" } },
      /x-amz-target is not signed/,
    ],
    [
      "when a declared hash is not the body's",
      { ...VANILLA, headers: { ...VANILLA.headers, "x-amz-content-sha256": "UNSIGNED-PAYLOAD" } },
      /x-amz-content-sha256/,
    ],
    [
      "with a session token that it should not have",
      { ...VANILLA, headers: { ...VANILLA.headers, "x-amz-security-token": "x" } },
      /x-amz-security-token is not signed/,
    ],
    [
      "without a date",
      { ...VANILLA, headers: { ...VANILLA.headers, "x-amz-date": "now" } },
      /x-amz-date is not a time/,
    ],
  ];

  it.each(changed)("%s", (_name, request, reason) => {
    expect(verifySigV4(request, SIGNER)).toMatch(reason);
  });

  const otherSigners: readonly [string, Partial<ExpectedSigner>, RegExp][] = [
    ["from an unknown key", { accessKeyId: "AKIDOTHER" }, /unknown access key AKIDEXAMPLE/],
    ["signed with another secret", { secretAccessKey: "x" }, /signature does not match/],
    ["for another region", { region: "eu-west-1" }, /the scope is/],
    ["for another service", { service: "bedrock" }, /the scope is/],
    ["without the session token", { sessionToken: "x" }, /session token is missing/],
    ["too late", { nowMs: Date.UTC(2015, 7, 30, 12, 42, 0) }, /not within five minutes/],
  ];

  it.each(otherSigners)("%s", (_name, signer, reason) => {
    expect(verifySigV4(VANILLA, { ...SIGNER, ...signer })).toMatch(reason);
  });
});
