import type { UpstreamConfig } from "./schema.ts";

type Remote = Exclude<UpstreamConfig, { provider: "sandbox" }>;
type Of<Provider extends Remote["provider"]> = Extract<Remote, { provider: Provider }>;
type CustomAuth = Of<"custom">["auth"];
type AwsAuth = Of<"anthropicAws">["auth"] | Of<"bedrock">["auth"] | Extract<CustomAuth, { type: "sigv4" }>;
type GoogleAuth = Of<"vertex">["auth"] | Extract<CustomAuth, { type: "google" }>;
type EntraAuth = Of<"foundry">["auth"] | Extract<CustomAuth, { type: "entra" }>;

/** What a signature with AWS credentials is for. */
export interface AwsScope {
  readonly service: string;
  readonly region: string;
}

/** Betas that Anthropic wants to see beside an OAuth bearer. */
const OAUTH_BETAS = ["oauth-2025-04-20"];
/** What Entra ID tokens are asked for in the public cloud. */
const FOUNDRY_SCOPE = "https://ai.azure.com/.default";
const AZURE_OPENAI_SCOPE = "https://cognitiveservices.azure.com/.default";

/**
 * The credential that an upstream's `auth` describes: the kind that it comes to with everything that the kind needs, null where
 * something is left to the library or the cloud.
 */
export function credentialOf(upstream: UpstreamConfig) {
  switch (upstream.provider) {
    case "sandbox":
      return header("x-api-key", "sandbox");
    case "anthropic":
      return anthropicCredential(upstream);
    case "bedrock":
    case "bedrockMantle": {
      const { aws_bearer_token: token, ...aws } = upstream.auth;
      return token === undefined
        ? awsCredential(aws, {
            service: upstream.provider === "bedrock" ? "bedrock" : "bedrock-mantle",
            region: upstream.region,
          })
        : bearer(token);
    }
    case "anthropicAws": {
      const { api_key: key, ...aws } = upstream.auth;
      return key === undefined
        ? awsCredential(aws, { service: "aws-external-anthropic", region: upstream.region })
        : header("x-api-key", key);
    }
    case "vertex":
      return googleCredential(upstream.auth, upstream.project_id);
    case "foundry":
    case "azure-openai":
      return azureCredential(upstream);
    case "openai":
      return upstream.auth.api_key === undefined ? none() : bearer(upstream.auth.api_key);
    case "custom":
    default:
      return customCredential(upstream.auth);
  }
}

function customCredential(auth: CustomAuth) {
  switch (auth.type) {
    case "none":
      return none();
    case "bearer":
      return bearer(auth.token);
    case "header":
      return header(auth.name.toLowerCase(), auth.value);
    case "token_file":
      return { kind: "token_file" as const, path: auth.file, header: auth.header?.toLowerCase() ?? null };
    case "sigv4":
      return awsCredential(auth, { service: auth.service, region: auth.region });
    case "google":
      return googleCredential(auth, auth.project_id);
    case "entra":
    default:
      return entraCredential(auth, auth.azure_scope);
  }
}

function none() {
  return { kind: "none" as const };
}

function header(name: string, value: string) {
  return { kind: "header" as const, header: name, value };
}

function bearer(token: string, betas: readonly string[] = []) {
  return { kind: "bearer" as const, token, betas };
}

function anthropicCredential(upstream: Of<"anthropic">) {
  const { auth } = upstream;
  if (auth.api_key !== undefined) return header("x-api-key", auth.api_key);
  if (auth.oauth_token !== undefined) return bearer(auth.oauth_token, isAnthropics(upstream) ? OAUTH_BETAS : []);
  // The schema asks for all three together; see sections/upstream-anthropic.ts.
  const { federation_rule_id: rule, organization_id: organization, identity_token_file: file } = auth;
  if (rule === undefined || organization === undefined || file === undefined) throw incomplete(upstream.name);
  return {
    kind: "anthropic_federation" as const,
    federationRuleId: rule,
    organizationId: organization,
    identityTokenFile: file,
    workspaceId: auth.workspace_id ?? null,
    serviceAccountId: auth.service_account_id ?? null,
    baseUrl: upstream.base_url.replace(/\/+$/, ""),
  };
}

function awsCredential(auth: AwsAuth, scope: AwsScope) {
  const keys = awsKeys(auth);
  const profile = auth.aws_profile ?? null;
  if (auth.aws_role_arn !== undefined) {
    return {
      kind: "aws_assume_role" as const,
      roleArn: auth.aws_role_arn,
      keys,
      profile,
      sessionName: auth.aws_role_session_name ?? null,
      externalId: auth.aws_external_id ?? null,
      durationSeconds: auth.aws_role_duration_seconds ?? null,
      stsUrl: auth.aws_sts_url ?? null,
      scope,
    };
  }
  if (keys !== null) return { kind: "aws_keys" as const, ...keys, scope };
  return { kind: "aws_chain" as const, profile, scope };
}

function awsKeys(auth: AwsAuth) {
  const { aws_access_key_id: accessKeyId, aws_secret_access_key: secretAccessKey } = auth;
  if (accessKeyId === undefined || secretAccessKey === undefined) return null;
  return { accessKeyId, secretAccessKey, sessionToken: auth.aws_session_token ?? null };
}

function googleCredential(auth: GoogleAuth, project: string) {
  const path = auth.service_account_json ?? auth.workload_identity_json;
  if (path === undefined) return { kind: "google_default" as const, project, tokenUrl: null };
  return { kind: "google_file" as const, path, project, tokenUrl: null };
}

function azureCredential(upstream: Of<"foundry"> | Of<"azure-openai">) {
  const { api_key: key, azure_scope: scope } = upstream.auth;
  const isFoundry = upstream.provider === "foundry";
  if (key !== undefined) return header(isFoundry ? "x-api-key" : "api-key", key);
  return entraCredential(upstream.auth, scope ?? (isFoundry ? FOUNDRY_SCOPE : AZURE_OPENAI_SCOPE));
}

function entraCredential(auth: EntraAuth, scope: string) {
  const common = { scope, authorityHost: auth.azure_authority_host ?? null };
  const clientId = auth.azure_client_id ?? null;
  const tenantId = auth.azure_tenant_id ?? null;
  const secret = auth.azure_client_secret;
  if (secret !== undefined && tenantId !== null && clientId !== null) {
    return { kind: "entra_client_secret" as const, ...common, tenantId, clientId, clientSecret: secret };
  }
  const tokenFile = auth.azure_federated_token_file;
  if (tokenFile !== undefined) {
    return { kind: "entra_workload_identity" as const, ...common, tenantId, clientId, tokenFile };
  }
  if (auth.azure_managed_identity) return { kind: "entra_managed_identity" as const, ...common, clientId };
  return { kind: "entra_default" as const, ...common, clientId };
}

/** Another gateway's token is its own affair; Anthropic's OAuth needs a beta. */
function isAnthropics({ base_url: url }: Of<"anthropic">): boolean {
  return new URL(url).hostname === "api.anthropic.com";
}

function incomplete(name: string): Error {
  return new Error(`upstream ${name} has no complete credential, which the configuration's schema refuses`);
}
