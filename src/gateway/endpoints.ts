import type { WireName } from "../wire/codec.ts";
import { CLOUD_ENDPOINTS, pathPattern } from "./cloud-endpoints.ts";
import { decodedSegment } from "./http/decoded-segment.ts";

/** How the pipeline treats an endpoint. */
type EndpointKind =
  /** A Messages request: metered, limited, budgeted. */
  | "messages"
  /** Token counting: authenticated and access-checked, exempt from limits and budgets, not metered. */
  | "count_tokens"
  /** Answered by Weir itself. */
  | "local"
  /** Batches and files: passed through, ownership kept. */
  | "objects"
  /** The simple API: a prompt in, a text out; a Messages request underneath. */
  | "simple"
  /** Embeddings: limited and metered, passed to upstreams that have them. */
  | "embeddings"
  /** Sign-in and administration: served by the control API. */
  | "control";

export interface Endpoint {
  /** The name that key scopes, metrics and the ledger use. */
  readonly name: string;
  readonly kind: EndpointKind;
  readonly methods: readonly string[];
  /** Matched against the path without its query, after any base prefix. */
  readonly path: string;
  /** Whether what follows the path belongs to the endpoint too (`/v1/files/{id}`). */
  readonly prefix?: boolean;
  /** The format in which the client speaks and is answered; Messages where it is absent. */
  readonly wire?: WireName;
  /** Whether the answer is a stream, where the path says so and not the body. */
  readonly streams?: boolean;
  /** Served without a key. */
  readonly open?: boolean;
  readonly summary: string;
}

/** Everything that Weir serves on its data port. Documentation and routing read the same rows. */
export const ENDPOINTS: readonly Endpoint[] = [
  {
    name: "root",
    kind: "local",
    methods: ["GET", "HEAD", "POST", "OPTIONS"],
    path: "/",
    open: true,
    summary: "What this server is",
  },
  { name: "messages", kind: "messages", methods: ["POST"], path: "/v1/messages", summary: "Messages, streamed or not" },
  {
    name: "count_tokens",
    kind: "count_tokens",
    methods: ["POST"],
    path: "/v1/messages/count_tokens",
    summary: "Token counting, exempt from limits",
  },
  {
    name: "batches",
    kind: "objects",
    methods: ["GET", "POST", "DELETE"],
    path: "/v1/messages/batches",
    prefix: true,
    summary: "Message Batches of the caller",
  },
  {
    name: "files",
    kind: "objects",
    methods: ["GET", "POST", "DELETE"],
    path: "/v1/files",
    prefix: true,
    summary: "Files of the caller",
  },
  {
    name: "models",
    kind: "local",
    methods: ["GET"],
    path: "/v1/models",
    prefix: true,
    summary: "Models that the caller's key allows",
  },
  {
    name: "hello",
    kind: "local",
    methods: ["HEAD", "GET"],
    path: "/api/hello",
    open: true,
    summary: "Connection warming",
  },
  { name: "healthz", kind: "local", methods: ["GET", "HEAD"], path: "/healthz", open: true, summary: "Alive" },
  {
    name: "readyz",
    kind: "local",
    methods: ["GET", "HEAD"],
    path: "/readyz",
    open: true,
    summary: "Ready to serve, or why not",
  },
  { name: "health", kind: "local", methods: ["GET", "HEAD"], path: "/health", open: true, summary: "Health in words" },
  { name: "simple", kind: "simple", methods: ["POST"], path: "/api/claude/chat", summary: "Prompt in, text out" },
  { name: "simple", kind: "simple", methods: ["POST"], path: "/api/claude/analyze", summary: "Text in, analysis out" },
  { name: "simple", kind: "simple", methods: ["POST"], path: "/api/v1/inference", summary: "Prompt in, text out" },
  { name: "simple", kind: "simple", methods: ["POST"], path: "/api/v1/claude", summary: "Prompt in, text out" },
  {
    name: "simple_health",
    kind: "local",
    methods: ["GET", "HEAD"],
    path: "/api/claude/health",
    open: true,
    summary: "Health of the simple API",
  },
  {
    name: "spend_limits",
    kind: "control",
    methods: ["GET", "POST", "DELETE"],
    path: "/v1/organizations/spend_limits",
    prefix: true,
    open: true,
    summary: "Spend limits, for administrators (Admin API)",
  },
  {
    name: "own_usage",
    kind: "control",
    methods: ["GET"],
    path: "/api/oauth/usage",
    summary: "How full the caller's spend limits are",
  },
  {
    name: "managed_settings",
    kind: "control",
    methods: ["GET"],
    path: "/managed/settings",
    summary: "Claude Code's managed settings for the caller",
  },
  {
    name: "desktop_bootstrap",
    kind: "control",
    methods: ["GET"],
    path: "/user/bootstrap",
    summary: "Claude Desktop's configuration for the caller",
  },
  {
    name: "protocol",
    kind: "control",
    methods: ["GET"],
    path: "/protocol",
    open: true,
    summary: "What clients can expect of this server",
  },
  {
    name: "otlp_metrics",
    kind: "control",
    methods: ["POST"],
    path: "/v1/metrics",
    summary: "OpenTelemetry metrics of clients",
  },
  { name: "otlp_logs", kind: "control", methods: ["POST"], path: "/v1/logs", summary: "OpenTelemetry logs of clients" },
  {
    name: "otlp_traces",
    kind: "control",
    methods: ["POST"],
    path: "/v1/traces",
    summary: "OpenTelemetry traces of clients",
  },
  {
    name: "sign_in_metadata",
    kind: "control",
    methods: ["GET", "HEAD"],
    path: "/.well-known/oauth-authorization-server",
    open: true,
    summary: "Where devices sign in (RFC 8414)",
  },
  {
    name: "device_authorization",
    kind: "control",
    methods: ["POST"],
    path: "/oauth/device_authorization",
    open: true,
    summary: "A device asks to be signed in (RFC 8628)",
  },
  {
    name: "device_page",
    kind: "control",
    methods: ["GET", "HEAD", "POST"],
    path: "/device",
    open: true,
    summary: "The page on which people approve devices",
  },
  {
    name: "device_deny",
    kind: "control",
    methods: ["POST"],
    path: "/device/deny",
    open: true,
    summary: "Denies a device",
  },
  {
    name: "sign_in_callback",
    kind: "control",
    methods: ["GET"],
    path: "/oauth/callback",
    open: true,
    summary: "Back from the identity provider",
  },
  {
    name: "token",
    kind: "control",
    methods: ["POST"],
    path: "/oauth/token",
    open: true,
    summary: "Devices fetch and renew their tokens",
  },
  {
    name: "token_revocation",
    kind: "control",
    methods: ["POST"],
    path: "/oauth/revoke",
    open: true,
    summary: "Ends a session (RFC 7009)",
  },
  ...CLOUD_ENDPOINTS,
];

interface Pattern {
  readonly endpoint: Endpoint;
  readonly expression: RegExp;
}

const PATTERNS: readonly Pattern[] = ENDPOINTS.flatMap((endpoint) => {
  const expression = pathPattern(endpoint.path);
  return expression === null ? [] : [{ endpoint, expression }];
});
const PLAIN = ENDPOINTS.filter((endpoint) => pathPattern(endpoint.path) === null);
/** Longest first, so that `/v1/messages/batches` is not taken for `/v1/messages`. */
const BY_LENGTH = PLAIN.filter((endpoint) => endpoint.path !== "/").sort((a, b) => b.path.length - a.path.length);
const EXACT: ReadonlyMap<string, Endpoint> = new Map(PLAIN.map((endpoint) => [endpoint.path, endpoint]));

export interface EndpointMatch {
  readonly endpoint: Endpoint;
  /** What follows the endpoint's path, `""` or beginning with a slash. */
  readonly rest: string;
  /** The model, where the path names it. */
  readonly model: string | null;
}

/** The endpoint of a path (no query), or null. Any base prefix before a known path is accepted, as clients configure it. */
export function matchEndpoint(path: string): EndpointMatch | null {
  // `OPTIONS *` asks about the server as a whole, which is what the root answers.
  const exact = EXACT.get(path === "*" ? "/" : path);
  if (exact !== undefined) return { endpoint: exact, rest: "", model: null };
  for (const endpoint of BY_LENGTH) {
    if (path.endsWith(endpoint.path)) return { endpoint, rest: "", model: null };
    if (endpoint.prefix !== true) continue;
    const at = path.indexOf(`${endpoint.path}/`);
    if (at >= 0) return { endpoint, rest: path.slice(at + endpoint.path.length), model: null };
  }
  for (const { endpoint, expression } of PATTERNS) {
    const found = expression.exec(path);
    if (found !== null) return { endpoint, rest: "", model: modelOf(found) };
  }
  return null;
}

function modelOf({ groups }: RegExpExecArray): string | null {
  const model = groups?.["model"];
  return model === undefined ? null : decodedSegment(model);
}
