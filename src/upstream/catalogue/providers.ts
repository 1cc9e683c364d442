import type { Operation, WireName } from "../../wire/codec.ts";
import type { CredentialKind } from "../credentials/credential-config.ts";
import type { Parameter, PathRow, ProviderName, ProviderRow } from "./provider-row.ts";

const AWS_KEYS: readonly CredentialKind[] = ["aws_chain", "aws_keys", "aws_assume_role"];
const ENTRA: readonly CredentialKind[] = [
  "entra_default",
  "entra_client_secret",
  "entra_workload_identity",
  "entra_managed_identity",
];
const GOOGLE: readonly CredentialKind[] = ["google_default", "google_file"];
const KEY: readonly CredentialKind[] = ["header", "bearer", "token_file"];

/** Claude in Microsoft Foundry; see the SDK's README. */
const FOUNDRY_SCOPE = "https://ai.azure.com/.default";
const COGNITIVE_SERVICES_SCOPE = "https://cognitiveservices.azure.com/.default";

const MESSAGES_PATHS: readonly PathRow[] = [
  path("anthropic", "messages", "/v1/messages"),
  path("anthropic", "count_tokens", "/v1/messages/count_tokens"),
];

const BEDROCK_PATHS: readonly PathRow[] = [
  path("bedrock", "messages", "/model/{model}/invoke-with-response-stream", { stream: true }),
  path("bedrock", "messages", "/model/{model}/invoke", { stream: false }),
  path("bedrock", "count_tokens", "/model/{model}/count-tokens"),
];

const VERTEX_MODELS = "/v1/projects/{project}/locations/{region}/publishers/anthropic/models";

/** What most rows have. */
const PLAIN = {
  endpoints: [],
  defaultPath: "",
  redundantPaths: [],
  embeddings: [],
  headers: [],
  probe: null,
  namesDeployments: false,
  keepsObjects: false,
  apiKeyHeader: "x-api-key",
  signingService: null,
  entraScope: null,
  requestIdHeaders: ["request-id"],
  clientHeaders: [],
} as const satisfies Partial<ProviderRow>;

/** Every provider that Weir can call. */
export const PROVIDERS: readonly ProviderRow[] = [
  {
    ...PLAIN,
    name: "anthropic",
    title: "Anthropic API",
    keepsObjects: true,
    wires: ["anthropic"],
    endpoints: [{ region: null, baseUrl: "https://api.anthropic.com" }],
    paths: MESSAGES_PATHS,
    probe: { by: "get", path: "/v1/models?limit=1" },
    credentials: [...KEY, "anthropic_federation"],
  },
  {
    ...PLAIN,
    name: "anthropicAws",
    title: "Claude Platform on AWS",
    keepsObjects: true,
    wires: ["anthropic"],
    endpoints: [{ region: null, baseUrl: "https://aws-external-anthropic.{region}.api.aws" }],
    paths: MESSAGES_PATHS,
    headers: [["anthropic-workspace-id", "{workspace}"]],
    probe: { by: "get", path: "/v1/models?limit=1" },
    credentials: [...KEY, ...AWS_KEYS],
    signingService: "aws-external-anthropic",
    requestIdHeaders: ["request-id", "x-amzn-requestid"],
  },
  {
    ...PLAIN,
    name: "bedrock",
    title: "Amazon Bedrock",
    wires: ["bedrock"],
    endpoints: [{ region: null, baseUrl: "https://bedrock-runtime.{region}.amazonaws.com" }],
    paths: BEDROCK_PATHS,
    probe: { by: "count_tokens" },
    credentials: [...AWS_KEYS, "bearer", "token_file"],
    apiKeyHeader: "authorization",
    signingService: "bedrock",
    requestIdHeaders: ["x-amzn-requestid"],
    clientHeaders: [
      "x-amzn-bedrock-guardrailidentifier",
      "x-amzn-bedrock-guardrailversion",
      "x-amzn-bedrock-trace",
      "x-amzn-bedrock-performanceconfig-latency",
      "x-amzn-bedrock-service-tier",
      "x-amzn-bedrock-request-metadata",
    ],
  },
  {
    ...PLAIN,
    name: "bedrockMantle",
    title: "Amazon Bedrock (Mantle)",
    wires: ["anthropic"],
    endpoints: [{ region: null, baseUrl: "https://bedrock-mantle.{region}.api.aws/anthropic" }],
    defaultPath: "/anthropic",
    paths: MESSAGES_PATHS,
    probe: { by: "count_tokens" },
    credentials: [...AWS_KEYS, "bearer", "token_file"],
    apiKeyHeader: "authorization",
    signingService: "bedrock-mantle",
    requestIdHeaders: ["request-id", "x-amzn-requestid"],
  },
  {
    ...PLAIN,
    name: "vertex",
    title: "Google Cloud Agent Platform",
    wires: ["vertex"],
    endpoints: [
      { region: "global", baseUrl: "https://aiplatform.googleapis.com" },
      { region: "us", baseUrl: "https://aiplatform.us.rep.googleapis.com" },
      { region: "eu", baseUrl: "https://aiplatform.eu.rep.googleapis.com" },
      { region: null, baseUrl: "https://{region}-aiplatform.googleapis.com" },
    ],
    redundantPaths: ["/v1"],
    paths: [
      path("vertex", "messages", `${VERTEX_MODELS}/{model}:streamRawPredict`, { stream: true }),
      path("vertex", "messages", `${VERTEX_MODELS}/{model}:rawPredict`, { stream: false }),
      path("vertex", "count_tokens", `${VERTEX_MODELS}/count-tokens:rawPredict`),
    ],
    probe: { by: "count_tokens" },
    credentials: [...GOOGLE, "bearer", "token_file"],
    apiKeyHeader: "authorization",
    clientHeaders: ["x-vertex-ai-llm-request-type", "x-vertex-ai-llm-shared-request-type"],
  },
  {
    ...PLAIN,
    name: "foundry",
    title: "Microsoft Foundry",
    wires: ["anthropic"],
    endpoints: [{ region: null, baseUrl: "https://{resource}.services.ai.azure.com/anthropic" }],
    defaultPath: "/anthropic",
    paths: MESSAGES_PATHS,
    probe: { by: "count_tokens" },
    credentials: [...KEY, ...ENTRA],
    entraScope: FOUNDRY_SCOPE,
    requestIdHeaders: ["request-id", "apim-request-id"],
  },
  {
    ...PLAIN,
    name: "azure-openai",
    title: "Azure OpenAI",
    namesDeployments: true,
    wires: ["openai-chat", "openai-responses"],
    endpoints: [{ region: null, baseUrl: "https://{resource}.openai.azure.com" }],
    redundantPaths: ["/openai/v1", "/openai"],
    paths: [
      path("openai-chat", "messages", "/openai/deployments/{model}/chat/completions?api-version={apiVersion}", {
        needs: "apiVersion",
      }),
      path("openai-chat", "messages", "/openai/v1/chat/completions?api-version={v1Version}", { needs: "v1Version" }),
      path("openai-chat", "messages", "/openai/v1/chat/completions"),
      path("openai-responses", "messages", "/openai/responses?api-version={apiVersion}", { needs: "apiVersion" }),
      path("openai-responses", "messages", "/openai/v1/responses?api-version={v1Version}", { needs: "v1Version" }),
      path("openai-responses", "messages", "/openai/v1/responses"),
    ],
    embeddings: [
      { needs: "apiVersion", path: "/openai/deployments/{model}/embeddings?api-version={apiVersion}" },
      { needs: "v1Version", path: "/openai/v1/embeddings?api-version={v1Version}" },
      { needs: null, path: "/openai/v1/embeddings" },
    ],
    probe: { by: "get", path: "/openai/v1/models" },
    credentials: [...KEY, ...ENTRA],
    apiKeyHeader: "api-key",
    entraScope: COGNITIVE_SERVICES_SCOPE,
    requestIdHeaders: ["apim-request-id", "x-request-id"],
  },
  {
    ...PLAIN,
    name: "openai",
    title: "OpenAI-compatible endpoint",
    wires: ["openai-chat", "openai-responses"],
    endpoints: [{ region: null, baseUrl: "https://api.openai.com/v1" }],
    defaultPath: "/v1",
    // Azure has no such count.
    paths: [
      path("openai-chat", "messages", "/chat/completions"),
      path("openai-responses", "messages", "/responses"),
      path("openai-responses", "count_tokens", "/responses/input_tokens"),
    ],
    embeddings: [{ needs: null, path: "/embeddings" }],
    probe: { by: "get", path: "/models" },
    credentials: [...KEY, "none"],
    apiKeyHeader: "authorization",
    requestIdHeaders: ["x-request-id"],
  },
  {
    ...PLAIN,
    name: "custom",
    title: "Custom Messages endpoint",
    // The configuration says which of them an endpoint speaks, and where.
    wires: ["anthropic", "bedrock", "vertex", "openai-chat"],
    paths: [
      ...MESSAGES_PATHS,
      ...BEDROCK_PATHS,
      path("vertex", "messages", "/{model}:streamRawPredict", { stream: true }),
      path("vertex", "messages", "/{model}:rawPredict", { stream: false }),
      path("openai-chat", "messages", "/v1/chat/completions"),
    ],
    credentials: [...KEY, "none", ...AWS_KEYS, ...GOOGLE, ...ENTRA],
    signingService: "sagemaker",
    entraScope: COGNITIVE_SERVICES_SCOPE,
    requestIdHeaders: ["request-id", "x-amzn-requestid", "x-request-id"],
    clientHeaders: ["x-amzn-sagemaker-inference-component", "x-amzn-sagemaker-target-variant"],
  },
  {
    ...PLAIN,
    name: "sandbox",
    title: "Sandbox",
    keepsObjects: true,
    wires: ["anthropic"],
    paths: MESSAGES_PATHS,
    probe: { by: "get", path: "/v1/models?limit=1" },
    credentials: ["header", "none"],
  },
];

const BY_NAME: ReadonlyMap<string, ProviderRow> = new Map(PROVIDERS.map((row) => [row.name, row]));

/** The row of a provider. */
export function providerRow(name: ProviderName): ProviderRow {
  const row = BY_NAME.get(name);
  if (row === undefined) throw new Error(`no provider is called ${name}`);
  return row;
}

function path(
  wire: WireName,
  operation: Operation,
  template: string,
  { stream = null, needs = null }: { stream?: boolean | null; needs?: Parameter | null } = {},
): PathRow {
  return { wire, operation, stream, needs, path: template };
}
