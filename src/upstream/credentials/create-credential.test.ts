import { describe, expect, it } from "vitest";

import { createCredential } from "./create-credential.ts";
import { credentialWorld, headersOf } from "./testing/outage-scenario.ts";

describe("credentials that stand in the configuration", () => {
  const { context } = credentialWorld();

  it.each([
    ["nothing", createCredential({ kind: "none" }, context), {}],
    ["a key", createCredential({ kind: "header", header: "api-key", value: "k" }, context), { "api-key": "k" }],
    ["a bearer", createCredential({ kind: "bearer", token: "t", betas: [] }, context), { authorization: "Bearer t" }],
  ])("send %s, started or not", async (_name, credential, headers) => {
    expect(await headersOf(credential)).toEqual(headers);
    await credential.start();
    credential.invalidate();
    expect(await headersOf(credential)).toEqual(headers);
    expect(credential.status().state).toBe("ready");
    await credential.stop();
  });

  it("may need a beta, as Anthropic's OAuth bearers do", () => {
    const credential = createCredential({ kind: "bearer", token: "t", betas: ["oauth-2025-04-20"] }, context);

    expect(credential.betas).toEqual(["oauth-2025-04-20"]);
  });
});

describe("a credential that is not started", () => {
  it("refuses to sign, saying so", () => {
    const { context } = credentialWorld();
    const scope = { region: "us-east-1", service: "bedrock" };
    const credential = createCredential({ kind: "aws_chain", profile: null, scope }, context);

    expect(() =>
      credential.headers({ method: "GET", host: "h", path: "/", headers: [], body: Buffer.alloc(0) }),
    ).toThrow("credential of cloud is not ready: Weir is still starting");
    expect(credential.status().state).toBe("pending");
  });
});
