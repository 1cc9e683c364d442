import type { Target } from "../../routing/route-table.ts";
import type { UpstreamRequest } from "../../upstream/upstream.ts";
import { scanRequest, type ScannedRequest } from "../../wire/anthropic/request-scan.ts";
import type { CanonicalRequest, Operation, TargetCall, TargetWire, WireName, WireWarning } from "../../wire/codec.ts";
import { withoutForeignThinking } from "../../wire/openai/foreign-thinking.ts";
import { noEmbeddings } from "../../wire/openai/embeddings.ts";
import { EmbeddingsCall } from "../embeddings/embeddings-call.ts";
import { required, type Exchange } from "../exchange.ts";
import { forwardHeaders } from "../http/forward-headers.ts";
import { TARGET_WIRES } from "../wires.ts";

/** What the Messages API asks for; sent for callers (curl, the simple API) that do not say. */
const DEFAULT_API_VERSION = "2023-06-01";

/** One attempt's request, complete but for the credential, and how its answer is to be read. */
export interface Outgoing {
  readonly request: UpstreamRequest;
  /** Null when the answer is canonical as it comes. */
  readonly call: TargetCall | null;
  /** Whether the client speaks the upstream's format and gets its bytes. */
  readonly sameFormat: boolean;
  /** What of the request does not go over. */
  readonly warnings: readonly WireWarning[];
  /** Betas that Weir chose to send, and may leave out when the upstream refuses them. */
  readonly betas: readonly string[];
}

/** The exchange as a request to a target. Throws WeirError where the target's format cannot express it. */
export function outgoing(exchange: Exchange, target: Target, nowMs: number): Outgoing {
  if (exchange.endpoint.kind === "embeddings") return toEmbeddings(exchange, target);
  const clientWire = exchange.endpoint.wire ?? "anthropic";
  const wire = chooseWire(exchange, target, clientWire);
  const targetWire = TARGET_WIRES[wire];
  if (targetWire === null) return toMessages(exchange, target, clientWire === "anthropic");
  return translated(exchange, target, { wire, targetWire, sameFormat: wire === clientWire, nowMs });
}

/** Embeddings go as they came to upstreams that have them; the others cannot express them. */
function toEmbeddings(exchange: Exchange, target: Target): Outgoing {
  const path = target.upstream.dialect.embeddingsPath(target.upstreamModel);
  if (path === null) throw noEmbeddings(required(exchange.scan, "scan").model);
  const call = new EmbeddingsCall(required(exchange.body, "body"), target.upstreamModel);
  const headers = [...call.headers, "accept-encoding", "identity", ...target.upstream.fixedHeaders];
  return {
    request: { path, method: "POST", headers, body: call.body },
    call,
    sameFormat: true,
    warnings: [],
    betas: [],
  };
}

/** The client's own format where the upstream speaks it, else the one that the upstream speaks best. */
function chooseWire(exchange: Exchange, { upstream: { dialect } }: Target, client: WireName): WireName {
  const { wires, countingWires } = dialect;
  // Where nothing counts, the usual format says so in its words.
  const fit = operationOf(exchange) === "count_tokens" && countingWires.length > 0 ? countingWires : wires;
  return fit.includes(client) ? client : (fit[0] ?? "anthropic");
}

/** The body as it came, except that the model's name is replaced where the target has another one for it. */
function toMessages(exchange: Exchange, target: Target, isNative: boolean): Outgoing {
  const { request } = exchange;
  const headers = forwardHeaders(request.rawHeaders, request.headers.connection);
  if (!isNative) ownHeaders(exchange, headers);
  else if (request.headers["content-type"] === undefined) headers.push("content-type", "application/json");
  if (request.headers["anthropic-version"] === undefined) headers.push("anthropic-version", DEFAULT_API_VERSION);
  headers.push("accept-encoding", "identity", ...target.upstream.fixedHeaders);
  if (target.upstream.settings.forwardUserIdentity) headers.push(...identityHeaders(exchange));
  const betas = target.upstream.credential?.betas ?? [];
  if (betas.length > 0) headers.push("anthropic-beta", betas.join(","));
  const message = messageFor(exchange, "anthropic");
  return {
    request: {
      path: pathOf(exchange, target, "anthropic"),
      method: "POST",
      headers,
      body: withModel(message, target),
    },
    call: null,
    sameFormat: isNative,
    warnings: [...clientWarnings(exchange), ...message.warnings],
    betas: [],
  };
}

/** The request as Messages JSON, as it goes to one target. */
interface OutgoingMessage {
  readonly body: Buffer;
  readonly scan: ScannedRequest;
  readonly warnings: readonly WireWarning[];
}

/** Formats in which Claude is asked, which refuses thinking that it has not signed itself. */
const ASKS_CLAUDE: ReadonlySet<WireName> = new Set<WireName>(["anthropic", "bedrock", "vertex"]);

/** The request as it came; for Claude without the thinking of another model that has answered earlier turns. */
function messageFor(exchange: Exchange, wire: WireName): OutgoingMessage {
  const body = required(exchange.body, "body");
  const scan = required(exchange.scan, "scan");
  const stripped =
    scan.mentionsForeignThinking && ASKS_CLAUDE.has(wire) ? withoutForeignThinking(body, scan.members) : null;
  if (stripped === null) return { body, scan, warnings: [] };
  const limits = { maxDepth: exchange.snapshot.maxJsonDepth, requireMaxTokens: operationOf(exchange) === "messages" };
  return { body: stripped.body, scan: scanRequest(stripped.body, limits), warnings: [stripped.warning] };
}

function withModel({ body, scan }: OutgoingMessage, target: Target): Buffer {
  if (target.upstreamModel === scan.model) return body;
  return Buffer.concat([
    body.subarray(0, scan.modelStart),
    Buffer.from(JSON.stringify(target.upstreamModel)),
    body.subarray(scan.modelEnd),
  ]);
}

/** What a client of another format does not send, or says of its own format. */
function ownHeaders(exchange: Exchange, headers: string[]): void {
  const betas = exchange.clientCall?.betas ?? [];
  const stream = required(exchange.scan, "scan").stream;
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    const name = headers[i];
    if (name === "content-type" || name === "accept" || name === "anthropic-beta") headers.splice(i, 2);
  }
  headers.push("content-type", "application/json", "accept", stream ? "text/event-stream" : "application/json");
  const asked = [...betasOf(exchange), ...betas];
  if (asked.length > 0) headers.push("anthropic-beta", [...new Set(asked)].join(","));
}

interface Choice {
  readonly wire: WireName;
  readonly targetWire: TargetWire;
  readonly sameFormat: boolean;
  readonly nowMs: number;
}

function translated(exchange: Exchange, target: Target, choice: Choice): Outgoing {
  const { wire, targetWire, sameFormat, nowMs } = choice;
  const message = messageFor(exchange, wire);
  const canonical: CanonicalRequest = {
    operation: operationOf(exchange),
    body: message.body,
    scan: message.scan,
    betas: [...betasOf(exchange), ...(exchange.clientCall?.betas ?? [])],
    upstreamModel: target.upstreamModel,
    isDeployment: target.upstream.dialect.namesDeployments,
    refusedBetas: target.upstream.betas.refused(target.upstreamModel, nowMs),
  };
  const goesAsItCame = sameFormat && message.warnings.length === 0;
  const clientBody = goesAsItCame ? exchange.clientBody : null;
  const call = clientBody === null ? targetWire.encode(canonical) : targetWire.forward(clientBody, canonical);
  // What a translation would leave out is still in the client's own bytes.
  const lost =
    clientBody === null
      ? [...clientWarnings(exchange), ...message.warnings]
      : (exchange.clientCall?.corrected?.warnings ?? []);
  const headers = [...call.headers, "accept-encoding", "identity", ...target.upstream.fixedHeaders];
  const forwarded = targetWire.forwards === "all" ? [] : targetWire.forwards;
  for (const name of new Set([...forwarded, ...target.upstream.dialect.clientHeaders])) {
    const value = exchange.header(name);
    if (value !== null) headers.push(name, value);
  }
  return {
    request: {
      path: pathOf(exchange, target, wire),
      method: "POST",
      headers,
      body: target.upstream.dialect.enforced(call.body, canonical.scan.stream),
    },
    call,
    sameFormat,
    warnings: [...lost, ...call.warnings],
    // A client of the upstream's own format is told what that one says.
    betas: clientBody === null ? (call.betas ?? []) : [],
  };
}

/** What of the client's request did not fit into Messages. */
function clientWarnings(exchange: Exchange): readonly WireWarning[] {
  return exchange.clientCall?.warnings ?? [];
}

function pathOf(exchange: Exchange, target: Target, wire: WireName): string {
  const isNative = exchange.clientWire === null;
  const queryAt = isNative ? exchange.upstreamPath.indexOf("?") : -1;
  return target.upstream.dialect.path({
    wire,
    operation: operationOf(exchange),
    stream: required(exchange.scan, "scan").stream,
    model: target.upstreamModel,
    query: isNative && queryAt >= 0 ? exchange.upstreamPath.slice(queryAt + 1) : null,
  });
}

function operationOf(exchange: Exchange): Operation {
  return exchange.endpoint.kind === "count_tokens" ? "count_tokens" : "messages";
}

function betasOf(exchange: Exchange): string[] {
  const header = exchange.header("anthropic-beta");
  return header === null
    ? []
    : header
        .split(",")
        .map((beta) => beta.trim())
        .filter((beta) => beta !== "");
}

/** For a proxy of the operator's own behind Weir: who asks, under the names that such proxies read. */
function identityHeaders(exchange: Exchange): string[] {
  const { user, key } = required(exchange.identity, "identity");
  const headers = ["x-claude-gateway-user-id", user?.id ?? key.id];
  if (user !== null && user.email !== null)
    headers.push("x-claude-gateway-user-email", user.email, "x-litellm-end-user-id", user.email);
  return headers;
}
