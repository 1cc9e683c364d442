import { AnthropicAwsCloud, TEST_WORKSPACE } from "./anthropic-aws-cloud.ts";
import { AnthropicCloud, TEST_ANTHROPIC_KEY } from "./anthropic-cloud.ts";
import { TEST_AWS_KEYS, TEST_AWS_REGION } from "./aws-auth.ts";
import { TEST_AZURE_KEY } from "./azure-auth.ts";
import { BedrockCloud } from "./bedrock-cloud.ts";
import { CloudServer, type CloudServerOptions } from "./cloud-server.ts";
import { CustomCloud, TEST_CUSTOM_TOKEN } from "./custom-cloud.ts";
import type { Dialect } from "./dialect.ts";
import { FoundryCloud } from "./foundry-cloud.ts";
import { OpenAiCloud, TEST_EMBEDDING_MODEL, TEST_OPENAI_KEY, TEST_OPENAI_MODEL } from "./openai/openai-cloud.ts";
import { SageMakerCloud } from "./sagemaker-cloud.ts";
import { TokenServer } from "./token-server.ts";
import { TEST_GOOGLE_PROJECT, TEST_GOOGLE_REGION, VertexCloud } from "./vertex-cloud.ts";

/** What a weir.yaml needs for one upstream. */
export interface CloudConfig {
  /** The entry of `upstreams`. */
  readonly upstream: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
  /** For `models[].upstream_model`: the id there of models that Weir does not map by itself. */
  readonly models: Readonly<Record<string, string>>;
}

/** A stand-in that runs, with what issues its credentials. */
export interface RunningCloud<D extends Dialect = Dialect> {
  readonly kind: string;
  readonly server: CloudServer<D>;
  /** Where its workloads get tokens, for the kinds whose credentials are fetched; null for those that are configured. */
  readonly tokens: TokenServer | null;
  stop(): Promise<void>;
}

/** One kind of upstream. */
export interface CloudKind {
  /** Distinct in CLOUDS: the provider, with what is special. */
  readonly kind: string;
  /** `upstreams[].provider`. */
  readonly provider: string;
  /** Whether the model behind it is Claude in the Messages format, so thinking and its signatures pass unchanged. */
  readonly speaksMessages: boolean;
  start(options?: CloudServerOptions): Promise<RunningCloud>;
  /** Its entry in weir.yaml. `baseUrl`: the address to write, such as a fault proxy's; the stand-in's own unless given. */
  configYaml(running: RunningCloud, options?: { readonly name?: string; readonly baseUrl?: string }): CloudConfig;
}

/** The model that every stand-in serves, as Weir's clients name it. */
export const CLOUD_MODEL = "claude-sonnet-5-5";
const AZURE_DEPLOYMENT = "stand-in-chat";
const SAGEMAKER_ENDPOINT = "claude-stand-in";

const AWS_AUTH = {
  aws_access_key_id: TEST_AWS_KEYS.accessKeyId,
  aws_secret_access_key: TEST_AWS_KEYS.secretAccessKey,
};

interface KindOptions {
  readonly kind: string;
  readonly provider: string;
  readonly speaksMessages: boolean;
  readonly dialect: () => Dialect;
  readonly tokens?: (dialect: Dialect) => TokenServer;
  /** The entry but for provider, name and base_url. */
  readonly entry: Readonly<Record<string, unknown>>;
  /** What `base_url` has after host and port. */
  readonly path?: string;
  readonly models?: Readonly<Record<string, string>>;
  readonly env?: (tokens: TokenServer) => Readonly<Record<string, string>>;
}

function kindOf(options: KindOptions): CloudKind {
  const { kind, provider, speaksMessages } = options;
  return {
    kind,
    provider,
    speaksMessages,
    async start(serverOptions) {
      const dialect = options.dialect();
      const server = new CloudServer(dialect, serverOptions);
      const tokens = options.tokens?.(dialect) ?? null;
      await server.start();
      await tokens?.start();
      return {
        kind,
        server,
        tokens,
        async stop() {
          await server.stop();
          await tokens?.stop();
        },
      };
    },
    configYaml({ server, tokens }, { name = kind, baseUrl = server.url } = {}) {
      const upstream = { provider, name, base_url: baseUrl + (options.path ?? ""), ...options.entry };
      const env = tokens === null || options.env === undefined ? {} : options.env(tokens);
      return { upstream, env, models: options.models ?? {} };
    },
  };
}

/** Every kind of upstream that Weir has, each with a stand-in that verifies what the real one would. */
export const CLOUDS: readonly CloudKind[] = [
  kindOf({
    kind: "anthropic",
    provider: "anthropic",
    speaksMessages: true,
    dialect: () => new AnthropicCloud(),
    entry: { auth: { api_key: TEST_ANTHROPIC_KEY } },
  }),
  kindOf({
    kind: "bedrock",
    provider: "bedrock",
    speaksMessages: true,
    dialect: () => new BedrockCloud(),
    entry: { region: TEST_AWS_REGION, auth: AWS_AUTH },
  }),
  kindOf({
    kind: "anthropicAws",
    provider: "anthropicAws",
    speaksMessages: true,
    dialect: () => new AnthropicAwsCloud(),
    entry: { region: TEST_AWS_REGION, workspace_id: TEST_WORKSPACE, auth: AWS_AUTH },
  }),
  kindOf({
    kind: "vertex",
    provider: "vertex",
    speaksMessages: true,
    dialect: () => new VertexCloud(),
    tokens: (dialect) => tokensInto(dialect),
    entry: { region: TEST_GOOGLE_REGION, project_id: TEST_GOOGLE_PROJECT },
    path: "/v1",
    env: (tokens) => tokens.environment.google,
  }),
  kindOf({
    kind: "foundry",
    provider: "foundry",
    speaksMessages: true,
    dialect: () => new FoundryCloud(),
    entry: { auth: { api_key: TEST_AZURE_KEY } },
    path: "/anthropic",
  }),
  kindOf({
    kind: "foundry-entra",
    provider: "foundry",
    speaksMessages: true,
    dialect: () => new FoundryCloud(),
    tokens: (dialect) => tokensInto(dialect),
    entry: { auth: { use_azure_ad: true, azure_managed_identity: true } },
    path: "/anthropic",
    env: (tokens) => tokens.environment.azure,
  }),
  kindOf({
    kind: "azure-openai",
    provider: "azure-openai",
    speaksMessages: false,
    dialect: () => azureOpenAi(),
    entry: { auth: { api_key: TEST_AZURE_KEY } },
    models: { [CLOUD_MODEL]: AZURE_DEPLOYMENT },
  }),
  kindOf({
    kind: "azure-openai-deployments",
    provider: "azure-openai",
    speaksMessages: false,
    dialect: () => azureOpenAi(),
    entry: { auth: { api_key: TEST_AZURE_KEY }, api: "deployments", api_version: "2024-10-21" },
    models: { [CLOUD_MODEL]: AZURE_DEPLOYMENT },
  }),
  kindOf({
    kind: "openai",
    provider: "openai",
    speaksMessages: false,
    dialect: () => new OpenAiCloud(),
    entry: { auth: { api_key: TEST_OPENAI_KEY } },
    path: "/v1",
    models: { [CLOUD_MODEL]: TEST_OPENAI_MODEL },
  }),
  kindOf({
    kind: "openai-responses",
    provider: "openai",
    speaksMessages: false,
    dialect: () => new OpenAiCloud(),
    entry: { auth: { api_key: TEST_OPENAI_KEY }, apis: ["responses"] },
    path: "/v1",
    models: { [CLOUD_MODEL]: TEST_OPENAI_MODEL },
  }),
  kindOf({
    kind: "openai-compatible",
    provider: "openai",
    speaksMessages: false,
    dialect: () => new OpenAiCloud({ flavour: "compatible", keys: "none", models: { "local-model": "local-model" } }),
    entry: { auth: { type: "none" } },
    path: "/v1",
    models: { [CLOUD_MODEL]: "local-model" },
  }),
  kindOf({
    kind: "custom",
    provider: "custom",
    speaksMessages: true,
    dialect: () => new CustomCloud(),
    entry: { auth: { type: "bearer", token: TEST_CUSTOM_TOKEN } },
    models: { [CLOUD_MODEL]: CLOUD_MODEL },
  }),
  kindOf({
    kind: "custom-sagemaker",
    provider: "custom",
    speaksMessages: true,
    dialect: () => new SageMakerCloud({ endpoints: { [SAGEMAKER_ENDPOINT]: CLOUD_MODEL } }),
    entry: {
      paths: {
        messages: "/endpoints/{model}/invocations",
        stream: "/endpoints/{model}/invocations-response-stream",
        count_tokens: "none",
      },
      stream_framing: "aws-event-stream",
      auth: { type: "sigv4", service: "sagemaker", region: TEST_AWS_REGION, ...AWS_AUTH },
    },
    models: { [CLOUD_MODEL]: SAGEMAKER_ENDPOINT },
  }),
];

/** The row of CLOUDS with that name. */
export function cloudKind(kind: string): CloudKind {
  const found = CLOUDS.find((row) => row.kind === kind);
  if (found === undefined)
    throw new Error(`there is no cloud ${kind}; there are ${CLOUDS.map((row) => row.kind).join(", ")}`);
  return found;
}

/** Sections of weir.yaml and the environment for several upstreams, in the order in which they are tried. */
export function weirConfig(parts: readonly CloudConfig[]): {
  readonly config: Readonly<Record<string, unknown>>;
  readonly env: Readonly<Record<string, string>>;
} {
  const models = new Map<string, Record<string, string>>();
  for (const { upstream, models: ids } of parts) {
    for (const [id, there] of Object.entries(ids)) {
      models.set(id, { ...models.get(id), [String(upstream["name"])]: there });
    }
  }
  const upstreams = parts.map(({ upstream }) => upstream);
  const mapped = [...models].map(([id, ids]) => ({ id, upstream_model: ids }));
  const env = Object.assign({}, ...parts.map((part) => part.env)) as Record<string, string>; // all parts are such records
  return { config: { upstreams, ...(mapped.length > 0 ? { models: mapped } : {}) }, env };
}

function azureOpenAi(): OpenAiCloud {
  return new OpenAiCloud({
    flavour: "azure",
    models: { [AZURE_DEPLOYMENT]: TEST_OPENAI_MODEL, [TEST_EMBEDDING_MODEL]: TEST_EMBEDDING_MODEL },
  });
}

function tokensInto(dialect: Dialect): TokenServer {
  if (!(dialect instanceof VertexCloud) && !(dialect instanceof FoundryCloud)) return new TokenServer();
  return new TokenServer({ onToken: (token, lifetimeMs) => dialect.tokens.issue(token, lifetimeMs) });
}
