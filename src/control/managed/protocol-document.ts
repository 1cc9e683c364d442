import { ENDPOINTS } from "../../gateway/endpoints.ts";

/** What `GET /protocol` says, for programs. */
export interface ProtocolDocument {
  readonly server: { readonly name: "weir"; readonly version: string };
  /** Where the contract that this serves is described. */
  readonly contract: string;
  readonly authentication: { readonly headers: readonly string[]; readonly sign_in: boolean };
  readonly endpoints: readonly ProtocolEndpoint[];
  readonly capabilities: Readonly<Record<string, boolean>>;
  readonly differences: readonly string[];
}

interface ProtocolEndpoint {
  readonly name: string;
  readonly methods: readonly string[];
  readonly path: string;
  readonly open: boolean;
  readonly summary: string;
}

/** Deliberate departures from Anthropic's own gateway, so that nobody has to find them out. */
const DIFFERENCES: readonly string[] = [
  "A model that a policy leaves out is refused with 403 permission_error and the models that it allows, not with 400: clients repeat what is refused with 400.",
  "Every spelling of a model's id (dated, Bedrock's, Vertex AI's) is that model, in policies too.",
  "An export of telemetry that is too long is dropped and answered with 200, not 413.",
  "GET /protocol is also served as JSON, to callers that accept application/json.",
];

/** The contract as this very server keeps it; derived from the rows that it routes by. */
export function protocolDocument(version: string): ProtocolDocument {
  const names = new Set(ENDPOINTS.map(({ name }) => name));
  const paths = new Set(ENDPOINTS.map(({ path }) => path));
  return {
    server: { name: "weir", version },
    contract: "https://code.claude.com/docs/en/llm-gateway-protocol",
    authentication: {
      headers: ["authorization: Bearer", "x-api-key"],
      sign_in: paths.has("/oauth/device_authorization") && paths.has("/oauth/token"),
    },
    endpoints: ENDPOINTS.map(({ name, methods, path, prefix, open, summary }) => ({
      name,
      methods,
      path: prefix === true ? `${path}[/…]` : path,
      open: open === true,
      summary,
    })),
    capabilities: {
      messages: names.has("messages"),
      count_tokens: names.has("count_tokens"),
      models: names.has("models"),
      managed_settings: names.has("managed_settings"),
      desktop_bootstrap: names.has("desktop_bootstrap"),
      otlp_http_json: names.has("otlp_metrics"),
      otlp_http_protobuf: names.has("otlp_metrics"),
      otlp_grpc: false,
      token_revocation: paths.has("/oauth/revoke"),
      spend_limits: paths.has("/v1/organizations/spend_limits"),
      usage: paths.has("/api/oauth/usage"),
      bedrock_format: names.has("inference_profiles"),
    },
    differences: DIFFERENCES,
  };
}

/** The same for people. */
export function protocolPage(document: ProtocolDocument): string {
  const { server, contract, authentication, endpoints, capabilities, differences } = document;
  const rows = endpoints.map(
    ({ methods, path, open, summary }) =>
      `| ${methods.join(", ")} | \`${path}\` | ${open ? "nobody" : "yes"} | ${summary} |`,
  );
  const has = Object.entries(capabilities).map(([name, present]) => `- ${name}: ${present ? "yes" : "no"}`);
  return [
    "# Weir gateway protocol",
    "",
    `This server is Weir ${server.version}. It serves the contract that Claude Code expects of a gateway, <${contract}>,`,
    "at the paths below, each also under any base path that a client is configured with.",
    "",
    `Callers identify themselves with one of: ${authentication.headers.map((header) => `\`${header}\``).join(", ")}.`,
    `Sign-in by OAuth device flow (RFC 8628, metadata by RFC 8414): ${authentication.sign_in ? "yes" : "no"}.`,
    "",
    "| Method | Path | Asks who calls | What it is |",
    "|---|---|---|---|",
    ...rows,
    "",
    "## Capabilities",
    "",
    ...has,
    "",
    "## Managed settings",
    "",
    '`GET /managed/settings` answers `{"uuid", "checksum", "settings"}`. The checksum is `sha256:` and the SHA-256, in',
    "hexadecimal, of the settings as JSON without spaces and with sorted keys; in quotes it is the `ETag`. 304 comes only in",
    "answer to an `If-None-Match` that names it, and 404 means that no policy is for the caller.",
    "",
    "## Errors",
    "",
    'Answers to identified callers: `{"type": "error", "error": {"type", "message"}, "request_id"}`. Answers of the sign-in',
    'endpoints: `{"error", "error_description"}`.',
    "",
    "## Where this differs from Anthropic's own gateway",
    "",
    ...differences.map((difference) => `- ${difference}`),
    "",
  ].join("\n");
}
