import { describe, expect, it } from "vitest";

import type { UpstreamConfig } from "./schema.ts";
import { loadText } from "./testing/config-directory.ts";
import { credentialOf } from "./upstream-credential.ts";

/** The credential of one upstream, given as flow YAML. */
async function credential(upstream: string): Promise<ReturnType<typeof credentialOf>> {
  const result = await loadText(`upstreams:\n  - { ${upstream} }\n`);
  if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
  const [first] = result.config.upstreams as readonly [UpstreamConfig];
  return credentialOf(first);
}

const BEDROCK = "provider: bedrock, region: eu-west-1";
const scope = { service: "bedrock", region: "eu-west-1" };
const ROLE = "aws_role_arn: arn:aws:iam::111122223333:role/weir";
const KEYS = "aws_access_key_id: AKIA1, aws_secret_access_key: s";
const FOUNDRY = "provider: foundry, resource: example";
const CUSTOM = "provider: custom, base_url: https://llm.example.com";
const entra = { scope: "https://ai.azure.com/.default", authorityHost: null };

describe("what an upstream's auth comes to", () => {
  it.each([
    ["an API key", "provider: anthropic, auth: { api_key: k }", { kind: "header", header: "x-api-key", value: "k" }],
    [
      "an OAuth bearer for Anthropic, which wants a beta",
      "provider: anthropic, auth: { oauth_token: t }",
      { kind: "bearer", token: "t", betas: ["oauth-2025-04-20"] },
    ],
    [
      "a bearer for another gateway, which does not",
      "provider: anthropic, base_url: https://gateway.example.com, auth: { oauth_token: t }",
      { kind: "bearer", token: "t", betas: [] },
    ],
    ["AWS's default chain", BEDROCK, { kind: "aws_chain", profile: null, scope }],
    ["a profile", `${BEDROCK}, auth: { aws_profile: p }`, { kind: "aws_chain", profile: "p", scope }],
    [
      "keys",
      `${BEDROCK}, auth: { ${KEYS}, aws_session_token: t }`,
      { kind: "aws_keys", accessKeyId: "AKIA1", secretAccessKey: "s", sessionToken: "t", scope },
    ],
    [
      "a bearer token of Bedrock",
      `${BEDROCK}, auth: { aws_bearer_token: t }`,
      { kind: "bearer", token: "t", betas: [] },
    ],
    [
      "a role, assumed with keys",
      `${BEDROCK}, auth: { ${KEYS}, ${ROLE}, aws_external_id: e, aws_role_duration_seconds: 900 }`,
      {
        kind: "aws_assume_role",
        roleArn: "arn:aws:iam::111122223333:role/weir",
        keys: { accessKeyId: "AKIA1", secretAccessKey: "s", sessionToken: null },
        profile: null,
        sessionName: null,
        externalId: "e",
        durationSeconds: 900,
        stsUrl: null,
        scope,
      },
    ],
    [
      "Claude Platform on AWS, signed for its own service",
      "provider: anthropicAws, region: us-east-1, workspace_id: w",
      { kind: "aws_chain", profile: null, scope: { service: "aws-external-anthropic", region: "us-east-1" } },
    ],
    [
      "its API key, which comes before AWS credentials",
      `provider: anthropicAws, region: us-east-1, workspace_id: w, auth: { api_key: k, ${KEYS} }`,
      { kind: "header", header: "x-api-key", value: "k" },
    ],
    [
      "Google's default",
      "provider: vertex, region: global, project_id: example-prod",
      { kind: "google_default", project: "example-prod", tokenUrl: null },
    ],
    [
      "another cloud's identity for Google",
      "provider: vertex, region: global, project_id: example-prod, auth: { workload_identity_json: /f.json }",
      { kind: "google_file", path: "/f.json", project: "example-prod", tokenUrl: null },
    ],
    ["a Foundry key", `${FOUNDRY}, auth: { api_key: k }`, { kind: "header", header: "x-api-key", value: "k" }],
    [
      "Entra's default",
      `${FOUNDRY}, auth: { use_azure_ad: true }`,
      { kind: "entra_default", ...entra, clientId: null },
    ],
    [
      "a managed identity",
      `${FOUNDRY}, auth: { use_azure_ad: true, azure_managed_identity: true, azure_client_id: c }`,
      { kind: "entra_managed_identity", ...entra, clientId: "c" },
    ],
    [
      "an application",
      `${FOUNDRY}, auth: { use_azure_ad: true, azure_tenant_id: t, azure_client_id: c, azure_client_secret: s }`,
      { kind: "entra_client_secret", ...entra, tenantId: "t", clientId: "c", clientSecret: "s" },
    ],
    [
      "workload identity",
      `${FOUNDRY}, auth: { use_azure_ad: true, azure_federated_token_file: /t }`,
      { kind: "entra_workload_identity", ...entra, tenantId: null, clientId: null, tokenFile: "/t" },
    ],
    [
      "an Azure OpenAI key",
      "provider: azure-openai, resource: example, auth: { api_key: k }",
      { kind: "header", header: "api-key", value: "k" },
    ],
    [
      "Entra for a sovereign cloud",
      'provider: azure-openai, resource: example, auth: { use_azure_ad: true, azure_scope: "https://cognitiveservices.azure.us/.default", azure_authority_host: "https://login.microsoftonline.us" }',
      {
        kind: "entra_default",
        scope: "https://cognitiveservices.azure.us/.default",
        authorityHost: "https://login.microsoftonline.us",
        clientId: null,
      },
    ],
    ["a key of OpenAI", "provider: openai, auth: { api_key: k }", { kind: "bearer", token: "k", betas: [] }],
    ["an open server", "provider: openai, auth: { type: none }", { kind: "none" }],
    [
      "a header of one's own",
      `${CUSTOM}, auth: { type: header, name: X-Key, value: v }`,
      { kind: "header", header: "x-key", value: "v" },
    ],
    [
      "a token in a file",
      `${CUSTOM}, auth: { type: token_file, file: /run/token }`,
      { kind: "token_file", path: "/run/token", header: null },
    ],
    [
      "a signature for SageMaker",
      `${CUSTOM}, auth: { type: sigv4, service: sagemaker, region: us-east-1 }`,
      { kind: "aws_chain", profile: null, scope: { service: "sagemaker", region: "us-east-1" } },
    ],
    [
      "Google for an endpoint",
      `${CUSTOM}, auth: { type: google, project_id: example-prod, service_account_json: /sa.json }`,
      { kind: "google_file", path: "/sa.json", project: "example-prod", tokenUrl: null },
    ],
    [
      "Entra for an endpoint",
      `${CUSTOM}, auth: { type: entra, azure_scope: "https://ml.azure.com/.default" }`,
      { kind: "entra_default", scope: "https://ml.azure.com/.default", authorityHost: null, clientId: null },
    ],
    ["the sandbox", "provider: sandbox", { kind: "header", header: "x-api-key", value: "sandbox" }],
  ])("%s", async (_, upstream, expected) => {
    expect(await credential(upstream)).toEqual(expected);
  });

  it("federation, with where its tokens are exchanged", async () => {
    const auth = "{ federation_rule_id: f, organization_id: o, identity_token_file: /t }";
    expect(await credential(`provider: anthropic, auth: ${auth}`)).toEqual({
      kind: "anthropic_federation",
      federationRuleId: "f",
      organizationId: "o",
      identityTokenFile: "/t",
      workspaceId: null,
      serviceAccountId: null,
      baseUrl: "https://api.anthropic.com",
    });
  });
});
