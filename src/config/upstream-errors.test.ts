import { describe, expect, it } from "vitest";

import type { Diagnostic } from "./diagnostic.ts";
import { loadText } from "./testing/config-directory.ts";

/** What is said of one upstream, given as flow YAML on the second line. */
async function complaints(upstream: string, rest = ""): Promise<readonly Diagnostic[]> {
  const result = await loadText(`upstreams:\n  - ${upstream}\n${rest}`, { env: {} });
  return result.ok ? [] : result.diagnostics.filter(({ severity }) => severity === "error");
}

const KEYS = "aws_access_key_id: AKIAIOSFODNN7EXAMPLE, aws_secret_access_key: abcdefghijklmnopqrstuvwxyz";
const BEDROCK = "provider: bedrock, region: us-east-1";
const VERTEX = "provider: vertex, region: global, project_id: example-prod";
const FOUNDRY = "provider: foundry, resource: example";
const AZURE = "provider: azure-openai, resource: example";
const CUSTOM = "provider: custom, base_url: https://llm.example.com";

describe("an upstream is refused with its reason", () => {
  it.each([
    ["Bedrock without a region", "provider: bedrock", "missing", "region"],
    ["a zone for a region", "provider: bedrock, region: us-east-1a", "invalid_value", "region"],
    [
      "an access key without its secret",
      `${BEDROCK}, auth: { aws_access_key_id: AKIA1 }`,
      "invalid_value",
      "auth.aws_secret_access_key",
    ],
    [
      "a secret without its access key",
      `${BEDROCK}, auth: { aws_secret_access_key: x }`,
      "invalid_value",
      "auth.aws_access_key_id",
    ],
    ["a session token alone", `${BEDROCK}, auth: { aws_session_token: x }`, "invalid_value", "auth.aws_session_token"],
    ["a profile beside a key", `${BEDROCK}, auth: { ${KEYS}, aws_profile: work }`, "invalid_value", "auth.aws_profile"],
    [
      "a bearer beside a profile",
      `${BEDROCK}, auth: { aws_bearer_token: x, aws_profile: work }`,
      "invalid_value",
      "auth.aws_bearer_token",
    ],
    [
      "an external id without a role",
      `${BEDROCK}, auth: { aws_external_id: x }`,
      "invalid_value",
      "auth.aws_external_id",
    ],
    ["a role that is no ARN", `${BEDROCK}, auth: { aws_role_arn: weir }`, "invalid_value", "auth.aws_role_arn"],
    ["a guardrail without a version", `${BEDROCK}, guardrail: { identifier: gr1 }`, "missing", "guardrail.version"],
    [
      "a guardrail that is none",
      `${BEDROCK}, guardrail: { identifier: "a b", version: "1" }`,
      "invalid_value",
      "guardrail.identifier",
    ],
    [
      "Claude Platform on AWS without a workspace",
      "provider: anthropicAws, region: us-east-1",
      "missing",
      "workspace_id",
    ],
    [
      "half of an access key there",
      `provider: anthropicAws, region: r, workspace_id: w, auth: { aws_access_key_id: a }`,
      "invalid_value",
      "auth.aws_secret_access_key",
    ],
    ["Vertex without a project", "provider: vertex, region: global", "missing", "project_id"],
    [
      "a region that is a host",
      "provider: vertex, region: evil.example.com/x, project_id: example-prod",
      "invalid_value",
      "region",
    ],
    [
      "two Google files",
      `${VERTEX}, auth: { service_account_json: a, workload_identity_json: b }`,
      "invalid_value",
      "auth.workload_identity_json",
    ],
    ["Foundry without an address", "provider: foundry, auth: { use_azure_ad: true }", "missing", "resource"],
    ["Foundry without a credential", `${FOUNDRY}, auth: {}`, "invalid_value", "auth"],
    ["Foundry with two", `${FOUNDRY}, auth: { use_azure_ad: true, api_key: x }`, "invalid_value", "auth.api_key"],
    [
      "a URL for a resource",
      "provider: foundry, resource: https://a.b, auth: { use_azure_ad: true }",
      "invalid_value",
      "resource",
    ],
    [
      "a client id beside a key",
      `${FOUNDRY}, auth: { api_key: x, azure_client_id: y }`,
      "invalid_value",
      "auth.azure_client_id",
    ],
    [
      "a client secret without a tenant",
      `${FOUNDRY}, auth: { use_azure_ad: true, azure_client_id: y, azure_client_secret: z }`,
      "missing",
      "auth.azure_tenant_id",
    ],
    [
      "a tenant of no use",
      `${FOUNDRY}, auth: { use_azure_ad: true, azure_tenant_id: y }`,
      "invalid_value",
      "auth.azure_tenant_id",
    ],
    [
      "a secret beside a managed identity",
      `${FOUNDRY}, auth: { use_azure_ad: true, azure_client_secret: z, azure_managed_identity: true }`,
      "invalid_value",
      "auth.azure_managed_identity",
    ],
    ["deployments without a version", `${AZURE}, api: deployments, auth: { api_key: x }`, "missing", "api_version"],
    ["a version that is none", `${AZURE}, api_version: "3", auth: { api_key: x }`, "invalid_value", "api_version"],
    ["an API twice", `${AZURE}, apis: [responses, responses], auth: { api_key: x }`, "invalid_value", "apis"],
    ["OpenAI without a key", "provider: openai, auth: {}", "missing", "auth.api_key"],
    ["a key that is not sent", "provider: openai, auth: { type: none, api_key: x }", "invalid_value", "auth.api_key"],
    ["a custom endpoint without an address", "provider: custom, auth: { type: none }", "missing", "base_url"],
    ["a credential of no kind", `${CUSTOM}, auth: {}`, "missing", "auth.type"],
    ["a signature for no region", `${CUSTOM}, auth: { type: sigv4, service: sagemaker }`, "missing", "auth.region"],
    [
      "a header of the connection",
      `${CUSTOM}, auth: { type: header, name: Host, value: x }`,
      "invalid_value",
      "auth.name",
    ],
    [
      "a path that is none",
      `${CUSTOM}, paths: { messages: v1 }, auth: { type: none }`,
      "invalid_value",
      "paths.messages",
    ],
    [
      "a path that leads upwards",
      `${CUSTOM}, paths: { messages: /a/../b }, auth: { type: none }`,
      "invalid_value",
      "paths.messages",
    ],
    [
      "a placeholder that nobody fills",
      `${CUSTOM}, paths: { messages: "/{modle}" }, auth: { type: none }`,
      "invalid_value",
      "paths.messages",
    ],
    [
      "a path without its stream",
      `${CUSTOM}, wire: bedrock, paths: { messages: /a }, auth: { type: none }`,
      "missing",
      "paths.stream",
    ],
    [
      "a framing twice",
      `${CUSTOM}, wire: bedrock, stream_framing: aws-event-stream, auth: { type: none }`,
      "invalid_value",
      "stream_framing",
    ],
    ["Vertex's format without a path", `${CUSTOM}, wire: vertex, auth: { type: none }`, "missing", "paths.messages"],
    [
      "a guardrail that would not hold",
      `${CUSTOM}, guardrail: { identifier: gr1, version: DRAFT }, auth: { type: none }`,
      "invalid_value",
      "guardrail",
    ],
    [
      "federation without a token",
      "provider: anthropic, auth: { federation_rule_id: a, organization_id: b }",
      "missing",
      "auth.identity_token_file",
    ],
    [
      "a workspace without federation",
      "provider: anthropic, auth: { api_key: x, workspace_id: w }",
      "invalid_value",
      "auth.federation_rule_id",
    ],
    [
      "federation beside a key",
      "provider: anthropic, auth: { api_key: x, federation_rule_id: a }",
      "invalid_value",
      "auth",
    ],
    ["a negative weight", `${BEDROCK}, weight: -1`, "invalid_value", "weight"],
  ])("%s", async (_, upstream, code, path) => {
    const found = await complaints(`{ ${upstream} }`);
    expect(found.map((one) => [one.code, one.path, one.line])).toEqual([[code, `upstreams[0].${path}`, 2]]);
    expect(found[0]?.fix.length).toBeGreaterThan(10);
  });

  it("says of a setting of another kind whose it is", async () => {
    const [found] = await complaints(`{ ${BEDROCK}, resource: x }`);
    expect(found).toMatchObject({ code: "unknown_key", path: "upstreams[0].resource" });
    expect(found?.fix).toBe("Remove it; it belongs to provider: foundry, provider: azure-openai.");
    const [within] = await complaints(`{ ${CUSTOM}, auth: { type: none, token: x } }`);
    expect(within?.fix).toBe("Remove it; it belongs to provider: custom with type: bearer.");
  });

  it("suggests only keys of its own kind", async () => {
    const [found] = await complaints(`{ ${BEDROCK}, projct_id: x }`);
    expect(found?.fix).not.toContain("Did you mean");
    expect((await complaints(`{ ${BEDROCK}, inference_profile: eu }`))[0]?.fix).toContain("inference_profiles");
  });
});

const SANDBOXES = "{ provider: sandbox, name: a, cloud: aws }\n  - { provider: sandbox, name: b, cloud: gcp }";

describe("routing is refused where it cannot be meant", () => {
  it.each([
    [
      "an unknown cloud",
      "routing: { deployment: { kind: active_passive, primary: aws, backup: azure } }",
      "unknown_cloud",
      "routing.deployment.backup",
    ],
    [
      "an unknown cloud among shares",
      "routing: { deployment: { kind: active_active, shares: { aws: 40, gpc: 60 } } }",
      "unknown_cloud",
      "routing.deployment.shares.gpc",
    ],
    [
      "a backup of itself",
      "routing: { deployment: { kind: active_passive, primary: aws, backup: aws } }",
      "invalid_value",
      "routing.deployment.backup",
    ],
    [
      "shares of nothing",
      "routing: { deployment: { kind: active_active, shares: { aws: 0, gcp: 0 } } }",
      "invalid_value",
      "routing.deployment.shares",
    ],
    ["a deployment of no kind", "routing: { deployment: { primary: aws } }", "missing", "routing.deployment.kind"],
    [
      "a trigger beyond all requests",
      "routing: { deployment: { kind: active_passive, primary: aws, backup: gcp, failover_triggers: { error_rate_percent: 105 } } }",
      "invalid_value",
      "routing.deployment.failover_triggers.error_rate_percent",
    ],
    ["a strategy that does not exist", "routing: { strategy: fastest }", "invalid_value", "routing.strategy"],
    [
      "an override for an unknown upstream",
      "routing: { overrides: [{ models: [claude-*], upstreams: [c] }] }",
      "unknown_upstream",
      "routing.overrides[0].upstreams[0]",
    ],
    [
      "an override that is never asked",
      "routing: { overrides: [{ models: [claude-*] }, { models: [claude-haiku-*] }] }",
      "duplicate",
      "routing.overrides[1].models[0]",
    ],
    ["rates that cross", "health: { degraded_error_rate: 0.6 }", "invalid_value", "health.degraded_error_rate"],
    [
      "a circuit that opens longer than longest",
      "health: { circuit: { open_ms: 600000 } }",
      "invalid_value",
      "health.circuit.open_ms",
    ],
    ["a delay above its cap", "retries: { base_delay_ms: 5000 }", "invalid_value", "retries.base_delay_ms"],
    ["a limit below its least", "overload: { limit: { initial: 10 } }", "invalid_value", "overload.limit.min"],
    [
      "a total that ends before the first byte",
      "timeouts: { upstream_total_ms: 1000 }",
      "total_too_short",
      "timeouts.upstream_total_ms",
    ],
  ])("%s", async (_, rest, code, path) => {
    const found = await complaints(SANDBOXES, `${rest}\n`);
    expect(found.map((one) => [one.code, one.path, one.line])).toEqual([[code, path, 4]]);
  });

  it("a strategy that weighs, with nothing to weigh", async () => {
    const found = await complaints("{ provider: sandbox, weight: 0 }", "routing: { strategy: weighted_random }\n");
    expect(found.map(({ code, path }) => [code, path])).toEqual([["no_weight", "upstreams[0].weight"]]);
  });

  it("one region in two zones", async () => {
    const two =
      "{ provider: sandbox, name: a, region: berlin, zone: eu }\n  - { provider: sandbox, region: berlin, zone: us }";
    const found = await complaints(two);
    expect(found.map(({ code, path }) => [code, path])).toEqual([["zone_conflict", "upstreams[1].zone"]]);
  });

  it("says nothing of clouds while an upstream is wrong itself", async () => {
    const rest = "routing: { deployment: { kind: single, cloud: aws } }\n";
    const found = await complaints("{ provider: bedrock, region: 7 }", rest);
    expect(found.map(({ path }) => path)).toEqual(["upstreams[0].region"]);
  });
});
