/** How Claude Code is told which cloud it talks to. In each way it may be told that the cloud is at Weir's address. */
export const CLAUDE_MODES = ["anthropic", "apikey", "bedrock", "vertex", "foundry"] as const;

/**
 * `bedrock` is what Claude Code's page on gateways shows: it lists inference profiles without any credential, which Weir
 * answers with 401. `bedrock-token` gives Weir's key as Bedrock's own kind of token, which goes with every request.
 */
export type ClaudeMode = (typeof CLAUDE_MODES)[number] | "bedrock-token";

/** Where Weir is, and the key for it. */
interface Access {
  readonly url: string;
  readonly key: string;
}

type Environment = Readonly<Record<string, string>>;

const ON_BEDROCK = { CLAUDE_CODE_USE_BEDROCK: "1", AWS_REGION: "us-east-1", AWS_EC2_METADATA_DISABLED: "true" };
const ON_VERTEX = {
  CLAUDE_CODE_USE_VERTEX: "1",
  CLAUDE_CODE_SKIP_VERTEX_AUTH: "1",
  ANTHROPIC_VERTEX_PROJECT_ID: "any-project",
  CLOUD_ML_REGION: "us-east5",
};

const ENVIRONMENTS: Readonly<Record<ClaudeMode, (access: Access) => Environment>> = {
  anthropic: ({ url, key }) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: key }),
  apikey: ({ url, key }) => ({ ANTHROPIC_BASE_URL: url, ANTHROPIC_API_KEY: key }),
  bedrock: ({ url, key }) => ({
    ...ON_BEDROCK,
    CLAUDE_CODE_SKIP_BEDROCK_AUTH: "1",
    ANTHROPIC_BEDROCK_BASE_URL: url,
    ANTHROPIC_AUTH_TOKEN: key,
  }),
  "bedrock-token": ({ url, key }) => ({
    ...ON_BEDROCK,
    ANTHROPIC_BEDROCK_BASE_URL: url,
    AWS_BEARER_TOKEN_BEDROCK: key,
  }),
  vertex: ({ url, key }) => ({ ...ON_VERTEX, ANTHROPIC_VERTEX_BASE_URL: url, ANTHROPIC_AUTH_TOKEN: key }),
  foundry: ({ url, key }) => ({
    CLAUDE_CODE_USE_FOUNDRY: "1",
    ANTHROPIC_FOUNDRY_BASE_URL: url,
    ANTHROPIC_FOUNDRY_API_KEY: key,
  }),
};

/** The environment of a mode. */
export function modeEnvironment(mode: ClaudeMode, access: Access): Environment {
  return ENVIRONMENTS[mode](access);
}

/** The format that Claude Code speaks in a mode, as the ledger names it. */
export function formatOf(mode: ClaudeMode): string {
  if (mode === "bedrock" || mode === "bedrock-token") return "bedrock";
  return mode === "vertex" ? "vertex" : "anthropic";
}
