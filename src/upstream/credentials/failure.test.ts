import { describe, expect, it } from "vitest";

import { describeFailure, scrub } from "./failure.ts";
import { IssueError } from "./issuer.ts";

const JWT = "eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiJ3ZWlyIiwiYXVkIjoieCJ9.c2lnbmF0dXJl";

describe("what callers are told of a failure", () => {
  it.each([
    [
      "a refused connection",
      Object.assign(new Error("connect"), { code: "ECONNREFUSED" }),
      /cannot be reached \(ECONNREFUSED\)/,
    ],
    ["a name that is not known", new Error("x", { cause: { code: "ENOTFOUND" } }), /cannot be reached \(ENOTFOUND\)/],
    ["an answer that took too long", new DOMException("late", "TimeoutError"), /did not answer in time/],
    ["an error of the server", { message: "x", response: { status: 503 } }, /answered 503/],
    [
      "a refusal with OAuth's code",
      { message: "x", response: { status: 400, data: { error: "invalid_grant" } } },
      /refused the request \(400 invalid_grant\)/,
    ],
    [
      "a refusal of AWS",
      Object.assign(new Error("x"), { name: "AccessDenied", $metadata: { httpStatusCode: 403 } }),
      /refused the request \(403 AccessDenied\)/,
    ],
    [
      "a refusal of Entra among others",
      new AggregateError([{ statusCode: 401, errorResponse: { error: "invalid_client" } }], "all failed"),
      /refused the request \(401 invalid_client\)/,
    ],
    ["nothing to try", Object.assign(new Error("x"), { name: "CredentialsProviderError" }), /no source of credentials/],
    ["a file that is not there", Object.assign(new Error("x"), { code: "ENOENT" }), /file that it needs .* \(ENOENT\)/],
    ["a failure of Weir's own", new IssueError("its token file is empty", "/run/token"), /^its token file is empty$/],
    ["anything else", "thrown text", /could not be obtained/],
  ])("says what kind it is: %s", (_name, error, summary) => {
    expect(describeFailure(error, []).summary).toMatch(summary);
  });

  it("names no account, role or address", () => {
    const error = Object.assign(new Error("User arn:aws:iam::123456789012:role/x may not assume it"), {
      name: "AccessDenied",
      $metadata: { httpStatusCode: 403 },
    });

    const { summary, detail } = describeFailure(error, []);

    expect(summary).not.toContain("123456789012");
    expect(detail).toContain("arn:aws:iam::123456789012:role/x may not assume it");
  });

  it("survives causes that go round in a circle", () => {
    const error = new Error("round");
    error.cause = error;

    expect(describeFailure(error, []).detail).toBe("round");
  });
});

describe("what the log is told", () => {
  it.each([
    ["a given secret", "the key hunter22 is wrong", "the key [hidden] is wrong"],
    ["a JWT", `assertion ${JWT} rejected`, "assertion [hidden] rejected"],
    ["a Google token", "ya29.a0AfB_byC-1 is bad", "[hidden] is bad"],
    ["an Anthropic token", "sk-ant-oat01-abc_DEF is bad", "[hidden] is bad"],
    ["a long opaque word", `token ${"A1b2".repeat(12)} is bad`, "token [hidden] is bad"],
  ])("hides %s", (_name, text, hidden) => {
    expect(scrub(text, ["hunter22"])).toBe(hidden);
  });

  it.each([
    "getaddrinfo ENOTFOUND aws-external-anthropic.us-east-1.api.aws",
    "weir-gateway@example-prod.iam.gserviceaccount.com lacks aiplatform.endpoints.predict",
    "AADSTS7000215: Invalid client secret provided. Trace ID: 0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0",
  ])("keeps what an operator needs: %s", (text) => {
    expect(scrub(text, ["hunter22"])).toBe(text);
  });

  it("is short, whatever a server sends", () => {
    expect(scrub("<html> ".repeat(1_000), []).length).toBeLessThan(700);
  });
});
