import { describe, expect, it } from "vitest";

import { credentialOf } from "./upstream-credential.ts";
import { loadText } from "./testing/config-directory.ts";

const ENV = {
  ANTHROPIC_API_KEY: "sk-ant-api03-b8Q2x7Lm5Zk9",
  POSTGRES_URL: "postgres://gateway@db.example.com:5432/gateway",
  POSTGRES_PASSWORD: "Kf8-Zq2-Lm5-Xw9",
  ACCT2_AKID: "AKIAIOSFODNN7EXAMPLE",
  ACCT2_SK: "wJalrXUtnFEMI/K7MDENG/bPxRfiCYzQ8x2Lm5",
  AWS_BEARER_TOKEN: "bedrock-api-key-YmVkcm9jay5hbWF6b25hd3M",
  ANTHROPIC_AWS_API_KEY: "sk-ant-aws-b8Q2x7Lm5Zk9",
  FOUNDRY_API_KEY: "0f9d8c7b6a5948372615f0e1",
};

/** A file in the format of Anthropic's gateway with all sections that Weir has, in the forms that format allows. */
const GATEWAY_YAML = `
# A company's gateway
listen:
  host: 0.0.0.0
  port: 8443
  public_url: https://claude.example.com
  trusted_proxies:
    - 10.0.0.0/8
    - 192.0.2.10

store:
  postgres_url: \${POSTGRES_URL}
  username: gateway_app
  password: \${POSTGRES_PASSWORD}
  max_connections: 12

upstreams:
  - provider: anthropic
    auth:
      api_key: \${ANTHROPIC_API_KEY}
  - name: spare
    provider: anthropic
    base_url: https://second-gateway.example.com/anthropic
    auth: { oauth_token: "\${ANTHROPIC_API_KEY}" }
    forward_user_identity: true

auto_include_builtin_models: true
models:
  - id: claude-opus-4-8
    label: Opus, the big one
    description: For hard problems
    upstream_model:
      anthropic: claude-opus-4-8
      spare: opus
  - id: house-model
    label: House model
    upstream_model:
      spare: house-1

pricing:
  multiplier: 0.85
  overrides:
    - { upstream: anthropic, model: claude-sonnet-4-6, input: 3.30, output: 16.50, cache_read: 0.33, cache_write: 4.125 }

access_control:
  allow_cidrs: [10.0.0.0/8, 2001:db8::/32]
  deny_cidrs: [10.66.0.0/16]

limits:
  max_request_bytes: 67108864
  max_request_header_bytes: 65536
  max_url_length: 4096

timeouts:
  upstream_ttfb_ms: 300000
`;

const EVERY_PROVIDER = `
upstreams:
  - provider: anthropic
    name: federated
    auth:
      federation_rule_id: fdrl_01ABC
      organization_id: 00000000-0000-0000-0000-000000000000
      identity_token_file: /var/run/secrets/anthropic/id-token
      workspace_id: wrkspc_01ABC
      service_account_id: svac_01ABC
  - name: bedrock-pt
    provider: bedrock
    region: us-east-1
    auth: {}
  - name: bedrock-acct2
    provider: bedrock
    region: us-east-1
    auth:
      aws_access_key_id: \${ACCT2_AKID}
      aws_secret_access_key: \${ACCT2_SK}
    base_url: https://bedrock-runtime-fips.us-east-1.amazonaws.com
  - name: bedrock-key
    provider: bedrock
    region: us-west-2
    auth: { aws_bearer_token: "\${AWS_BEARER_TOKEN}" }
  - provider: anthropicAws
    region: us-east-1
    workspace_id: wrkspc_01ABC
    auth:
      api_key: \${ANTHROPIC_AWS_API_KEY}
      # The key comes first where both are set.
      aws_access_key_id: \${ACCT2_AKID}
      aws_secret_access_key: \${ACCT2_SK}
  - provider: anthropicAws
    name: aws-signed
    region: us-east-1
    workspace_id: wrkspc_01ABC
    auth: {}
    base_url: https://aws-external-anthropic.us-east-1.api.aws
  - provider: vertex
    region: us-east5
    project_id: example-prod
    auth: {}
  - provider: vertex
    name: vertex-psc
    region: us-east5
    project_id: example-prod
    auth: { service_account_json: /secrets/sa.json }
    base_url: https://us-east5-aiplatform.p.googleapis.com
  - provider: foundry
    resource: example-foundry
    auth: { use_azure_ad: true }
  - provider: foundry
    name: foundry-gov
    resource: example-foundry
    base_url: https://example.services.ai.azure.us
    auth: { api_key: "\${FOUNDRY_API_KEY}" }

auto_include_builtin_models: true
models:
  - id: claude-opus-4-8
    label: Claude Opus 4.8
    upstream_model:
      federated: claude-opus-4-8
      bedrock-pt: arn:aws:bedrock:us-east-1:111111111111:provisioned-model/abcdef
      bedrock-acct2: us.anthropic.claude-opus-4-8
      anthropicAws: claude-opus-4-8
      vertex: claude-opus-4-8
      foundry: your-opus-deployment-name

timeouts:
  upstream_ttfb_ms: 900000
`;

describe("a file written for Anthropic's gateway", () => {
  it("runs unchanged, for the sections that are built", async () => {
    const result = await loadText(GATEWAY_YAML, { env: ENV });
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
    expect(result.warnings).toEqual([]);
    expect(result.config).toMatchObject({
      listen: { host: "0.0.0.0", port: 8443, public_url: "https://claude.example.com" },
      store: { username: "gateway_app", password: ENV.POSTGRES_PASSWORD, max_connections: 12 },
      upstreams: [
        { name: "anthropic", base_url: "https://api.anthropic.com", auth: { api_key: ENV.ANTHROPIC_API_KEY } },
        { name: "spare", forward_user_identity: true, auth: { oauth_token: ENV.ANTHROPIC_API_KEY } },
      ],
      models: [{ id: "claude-opus-4-8", upstream_model: { spare: "opus" } }, { id: "house-model" }],
      pricing: { multiplier: 0.85, overrides: [{ input: 3.3, cache_write: 4.125 }] },
      access_control: { deny_cidrs: ["10.66.0.0/16"] },
      limits: { max_request_bytes: 67_108_864 },
      timeouts: { upstream_ttfb_ms: 300_000 },
    });
  });

  it("runs unchanged with every provider, in every form of credential that format has", async () => {
    const result = await loadText(EVERY_PROVIDER, { env: ENV });
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics, null, 2));
    expect(result.warnings).toEqual([]);
    expect(result.config.upstreams.map(({ name, provider }) => `${provider}: ${name}`)).toEqual([
      "anthropic: federated",
      "bedrock: bedrock-pt",
      "bedrock: bedrock-acct2",
      "bedrock: bedrock-key",
      "anthropicAws: anthropicAws",
      "anthropicAws: aws-signed",
      "vertex: vertex",
      "vertex: vertex-psc",
      "foundry: foundry",
      "foundry: foundry-gov",
    ]);
    expect(result.config.upstreams.map((upstream) => credentialOf(upstream).kind)).toEqual([
      "anthropic_federation",
      "aws_chain",
      "aws_keys",
      "bearer",
      "header",
      "aws_chain",
      "google_default",
      "google_file",
      "entra_default",
      "header",
    ]);
  });

  it("runs unchanged in prod once it has a pepper", async () => {
    const overrides = { security: { key_pepper: "qL7c0Vh2mR9xT4wB8nK1sZ6yD3fG5jP0" } };
    expect(await loadText(GATEWAY_YAML, { env: ENV, overrides, profile: "prod" })).toMatchObject({
      ok: true,
      warnings: [],
    });
  });

  it("has the defaults of that format where it says nothing", async () => {
    const text =
      "listen: { public_url: https://claude.example.com }\nupstreams: [{ provider: anthropic, auth: { api_key: '${ANTHROPIC_API_KEY}' } }]\n";
    const result = await loadText(text, { env: ENV });
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
    expect(result.config).toMatchObject({
      listen: { host: "0.0.0.0", port: 8080, trusted_proxies: [] },
      store: { max_connections: 5 },
      upstreams: [{ name: "anthropic", base_url: "https://api.anthropic.com", forward_user_identity: false }],
      auto_include_builtin_models: true,
      pricing: { multiplier: 1, overrides: [] },
      limits: { max_request_bytes: 32 * 1024 * 1024 },
      timeouts: { upstream_ttfb_ms: 120_000 },
    });
  });

  it("has its sign-in taken over unchanged, every setting of it", async () => {
    const text = `${GATEWAY_YAML}
login_notice: Ask the platform team for help.
oidc:
  issuer: https://example.okta.com
  client_id: 0oa1example2
  client_secret: \${OIDC_CLIENT_SECRET}
  allowed_email_domains: [example.com]
  allowed_groups: [claude-code-users]
  groups_claim: /resource_access/gateway/roles
  email_claim: [email, upn]
  user_id_claim: oid
  userinfo_fallback: true
  use_pkce: false
  clock_skew_seconds: 5
  token_endpoint_auth_method: client_secret_post
  id_token_signed_response_alg: ES256
  additional_authorized_parties: [broker]
  discovery_url: https://proxy.example.com/.well-known/openid-configuration
  use_proxy: true
  scopes: [openid, profile, email, offline_access, groups]
  scope_on_refresh: true
  extra_auth_params: { access_type: offline, prompt: consent }
  form_action_origins: [https://adfs.example.com]
  ca_cert_pem: "-----BEGIN CERTIFICATE-----"
  google_groups: { service_account_json_path: /etc/google.json, admin_email: admin@example.com }
session:
  jwt_secret: ["\${GATEWAY_JWT_SECRET}", "\${GATEWAY_JWT_SECRET_OLD}"]
  ttl_hours: 8
rate_limits:
  device_authorization: { max: 60, window_seconds: 300 }
  device_verify: { max: 20 }
`;
    const secrets = {
      OIDC_CLIENT_SECRET: "Kf8-Zq2-Lm5-Xw9-Pv3",
      GATEWAY_JWT_SECRET: "b8Q2x7Lm5Zk9b8Q2x7Lm5Zk9b8Q2x7Lm5Zk9",
      GATEWAY_JWT_SECRET_OLD: "9kZ5mL7x2Q8b9kZ5mL7x2Q8b9kZ5mL7x2Q8b",
    };
    const result = await loadText(text, { env: { ...ENV, ...secrets } });
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
    expect(result.config).toMatchObject({
      oidc: { client_secret: secrets.OIDC_CLIENT_SECRET, email_claim: ["email", "upn"], use_pkce: false },
      session: { jwt_secret: [secrets.GATEWAY_JWT_SECRET, secrets.GATEWAY_JWT_SECRET_OLD], ttl_hours: 8 },
      rate_limits: {
        device_authorization: { max: 60, window_seconds: 300 },
        device_verify: { max: 20, window_seconds: 600 },
      },
    });
  });

  it.each([
    ["oidc: { issuer: ftp://x, client_id: a, client_secret: bbbbbbbbbb }", "oidc.issuer"],
    ["oidc: { issuer: 'https://x.example.com', client_id: a }", "oidc.client_secret"],
    [
      "oidc: { issuer: 'https://x.example.com', client_id: a, client_secret: b, token_endpoint_auth_method: private_key_jwt }",
      "oidc.client_assertion",
    ],
    ["oidc: { issuer: 'https://x.example.com', client_id: a, client_secret: b, scopes: [email] }", "oidc.scopes"],
    [
      "oidc: { issuer: 'https://x.example.com', client_id: a, client_secret: b, extra_auth_params: { state: x } }",
      "oidc.extra_auth_params",
    ],
    [
      "oidc: { issuer: 'https://x.example.com', client_id: a, client_secret: b, id_token_signed_response_alg: HS256 }",
      "oidc.id_token_signed_response_alg",
    ],
    [
      "oidc: { issuer: 'https://x.example.com', client_id: a, client_secret: b, link_users_by_email: true }",
      "oidc.link_users_by_email",
    ],
    ["session: { jwt_secret: short }", "session.jwt_secret"],
  ])("is refused where its sign-in cannot work: %s", async (text, path) => {
    const result = await loadText(`${text}\n`, { env: ENV });
    const paths = result.ok ? [] : result.diagnostics.map((found) => found.path);
    expect(paths).toContain(path);
  });
});
