import { ProxyAgent, type Client, type Dispatcher } from "undici";

import type { AddressList } from "../core/address-list.ts";
import type { Operation, WireName } from "../wire/codec.ts";
import { BetaMemory } from "./beta-memory.ts";
import type { CredentialSource } from "./credentials/credential.ts";
import { guardedLookup, isAllowed, AddressRefused } from "./transport/address-guard.ts";
import { ConnectionPool, type Connections, Leased } from "./transport/connection-pool.ts";
import { Http1Pool } from "./transport/http1/http1-pool.ts";

export interface UpstreamTls {
  /** PEM texts, already read. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
}

/** What an upstream speaks, and where. */
export interface UpstreamDialect {
  /** Formats that it speaks, the preferred one first. */
  readonly wires: readonly WireName[];
  /** Those of them in which it counts tokens. */
  readonly countingWires: readonly WireName[];
  /** Whether it counts tokens of the model that has this id there. */
  countsTokens(model: string): boolean;
  /** Path and query of an operation, without the prefix of the base URL. Throws WeirError where it does not exist. */
  path(asked: PathQuestion): string;
  /** The id that a model has there when the configuration does not say; null when it does not have the model. */
  modelId(asked: string, canonical: string | null): string | null;
  /** Path and query of OpenAI's embeddings for a model there; null where there are none. */
  embeddingsPath(model: string): string | null;
  /** A body with what the configuration insists on, whatever the client wrote; the same buffer where that is nothing. */
  enforced(body: Buffer, stream: boolean): Buffer;
  /** What the format's stream is wrapped in. Whole answers are not. */
  readonly framing: StreamFraming;
  /** Response headers with the upstream's own id of a request, lower-case; the first that is there counts. */
  readonly requestIdHeaders: readonly string[];
  /** Headers of clients that are passed on besides those of the format, lower-case. */
  readonly clientHeaders: readonly string[];
  /** Whether its model ids are names that somebody chose for deployments, from which the model need not be seen. */
  readonly namesDeployments: boolean;
  /** Whether it has the Message Batches and Files APIs. */
  readonly keepsObjects: boolean;
}

/** `aws-event-stream`: SageMaker's, see wire/sagemaker/payload-parts.ts. Bedrock's own framing is part of its format. */
export type StreamFraming = "none" | "aws-event-stream";

export interface PathQuestion {
  readonly wire: WireName;
  readonly operation: Operation;
  readonly stream: boolean;
  /** The model's id at the upstream. */
  readonly model: string;
  /** The query that the client sent, without its question mark; null for none. */
  readonly query: string | null;
}

/** Where an upstream is, for routing. */
export interface Placement {
  readonly cloud: string | null;
  readonly region: string | null;
  /** Relative to other upstreams, under strategies that share by weight. */
  readonly weight: number;
  readonly promptCache: "explicit" | "implicit" | "none";
}

/** Everything about one upstream, resolved from the configuration. */
export interface UpstreamSettings {
  readonly name: string;
  readonly provider: string;
  /** Origin and optional path prefix, without a trailing slash. */
  readonly baseUrl: string;
  readonly dialect: UpstreamDialect;
  readonly placement: Placement;
  /** What makes the upstream accept requests; null where `extraHeaders` do, or nothing need. */
  readonly credential: CredentialSource | null;
  /** Further headers that the configuration adds. */
  readonly extraHeaders: Readonly<Record<string, string>>;
  /** URL of a forward proxy, or null for a direct connection. */
  readonly proxyUrl: string | null;
  readonly tls: UpstreamTls;
  readonly connectTimeoutMs: number;
  /** The longest that any request waits for the response's headers, and within its body; requests may ask for less. */
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Times of this upstream alone, in place of those above and of what requests ask for. */
  readonly ownTimeouts?: Partial<RequestTimeouts>;
  /** Requests that may be open there at once; no limit unless set. */
  readonly maxConcurrent?: number | null;
  /** Private, loopback and link-local ranges in which the upstream may be. */
  readonly allowPrivate: AddressList;
  /** What speaks HTTP over direct connections; Weir's own client unless set. */
  readonly client?: HttpClient;
  readonly forwardUserIdentity: boolean;
}

/** Weir's own HTTP/1.1 client, or undici's. Connections through a proxy are always undici's. */
type HttpClient = "weir" | "undici";

/** How long an idle connection is kept. Providers close at about a minute or say so themselves. */
const KEEP_ALIVE_MS = 30_000;

/** One place that serves the Messages API: its address, its credential and its connections. */
export class Upstream {
  readonly settings: UpstreamSettings;
  readonly name: string;
  /** What precedes `/v1/messages` in the path. */
  readonly basePath: string;
  /** Flat list of lower-case names and values that every request has. */
  readonly fixedHeaders: readonly string[];
  readonly #fixedNames: ReadonlySet<string>;
  readonly connections: Connections;
  /** As the `host` header says it. */
  readonly #host: string;

  constructor(settings: UpstreamSettings) {
    const url = new URL(settings.baseUrl);
    this.settings = settings;
    this.name = settings.name;
    this.basePath = url.pathname.replace(/\/+$/, "");
    const fixed = Object.entries(settings.extraHeaders).map(([name, value]) => [name.toLowerCase(), value] as const);
    this.fixedHeaders = fixed.flat();
    this.#fixedNames = new Set(fixed.map(([name]) => name));
    this.#host = url.host;
    this.connections = connect(url, settings);
  }

  /** What it is known to take and to refuse beyond what tables say. */
  readonly betas = new BetaMemory();

  get dialect(): UpstreamDialect {
    return this.settings.dialect;
  }

  get credential(): CredentialSource | null {
    return this.settings.credential;
  }

  /** Whether as many requests are open as the configuration allows. */
  get isFull(): boolean {
    return this.connections.active >= (this.settings.maxConcurrent ?? Infinity);
  }

  /**
   * The request with the upstream's fixed headers and what makes it accept the request; both replace headers of the same name.
   * A promise only where a signature must be computed. Throws WeirError `weir:upstream:credential` while there is nothing
   * valid to send.
   */
  sign(request: UpstreamRequest): UpstreamRequest | Promise<UpstreamRequest> {
    const { credential } = this.settings;
    const complete = this.withFixedHeaders(request);
    if (credential === null) return complete;
    const added = credential.headers({
      method: complete.method,
      host: this.#host,
      path: this.basePath + complete.path,
      headers: complete.headers,
      body: bytesOf(complete.body),
    });
    if (!(added instanceof Promise)) return withHeaders(complete, added);
    return added.then((headers) => withHeaders(complete, headers));
  }

  /** The request with the upstream's fixed headers in place of those of the same name. */
  withFixedHeaders(request: UpstreamRequest): UpstreamRequest {
    if (this.#fixedNames.size === 0) return request;
    const headers = without(request.headers, this.#fixedNames);
    headers.push(...this.fixedHeaders);
    return { ...request, headers };
  }

  get isSandbox(): boolean {
    return this.settings.provider === "sandbox";
  }

  /** Sends a request. Redirects are never followed: the caller sees them as any other status. */
  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler, timeouts?: RequestTimeouts): void {
    const { headersTimeoutMs, idleTimeoutMs, ownTimeouts: own } = this.settings;
    this.connections.dispatch(
      {
        path: this.basePath + request.path,
        method: request.method,
        headers: request.headers,
        body: request.body,
        headersTimeout: own?.firstByteMs ?? Math.min(headersTimeoutMs, timeouts?.firstByteMs ?? Infinity),
        bodyTimeout: own?.idleMs ?? Math.min(idleTimeoutMs, timeouts?.idleMs ?? Infinity),
      },
      handler,
    );
  }
}

const NO_BODY = Buffer.alloc(0);

function withHeaders(request: UpstreamRequest, added: readonly string[]): UpstreamRequest {
  const names = new Set<string>();
  for (let i = 0; i < added.length; i += 2) names.add(added[i] ?? "");
  const headers = without(request.headers, names);
  headers.push(...added);
  return { ...request, headers };
}

/** A flat list of headers without those of some names. */
function without(headers: readonly string[], names: ReadonlySet<string>): string[] {
  const left: string[] = [];
  for (let i = 0; i < headers.length; i += 2) {
    const name = headers[i] ?? "";
    if (!names.has(name)) left.push(name, headers[i + 1] ?? "");
  }
  return left;
}

/** The bytes that are signed. Streams (uploads of files) go only where nothing is signed. */
function bytesOf(body: UpstreamRequest["body"]): Buffer {
  if (body instanceof Buffer) return body;
  return typeof body === "string" ? Buffer.from(body) : NO_BODY;
}

/** Times of one request, where they are shorter than the upstream's own. */
export interface RequestTimeouts {
  readonly firstByteMs: number;
  readonly idleMs: number;
}

export interface UpstreamRequest {
  /** Path and query, without the upstream's own prefix. */
  readonly path: string;
  readonly method: Dispatcher.HttpMethod;
  /** Flat name, value list, credentials included. */
  readonly headers: string[];
  readonly body: Dispatcher.DispatchOptions["body"];
}

function connect(url: URL, settings: UpstreamSettings): Connections {
  const tls = tlsOptions(settings.tls);
  const timeouts = {
    headersTimeout: settings.headersTimeoutMs,
    bodyTimeout: settings.idleTimeoutMs,
    keepAliveTimeout: KEEP_ALIVE_MS,
    allowH2: false,
  } satisfies Client.Options;
  if (settings.proxyUrl !== null)
    return new ProxyConnections(url.origin, settings.proxyUrl, { ...timeouts, requestTls: tls });
  // A literal address is never looked up, so the guard on look-ups does not see it.
  const literal = url.hostname.replace(/^\[|\]$/g, "");
  if (/^[\d.]+$|:/.test(literal) && !isAllowed(literal, settings.allowPrivate))
    throw new AddressRefused(literal, literal);
  const lookup = guardedLookup(settings.allowPrivate);
  if (settings.client !== "undici") {
    return new Http1Pool(url.origin, {
      tls,
      lookup,
      connectTimeoutMs: settings.connectTimeoutMs,
      headersTimeoutMs: settings.headersTimeoutMs,
      bodyTimeoutMs: settings.idleTimeoutMs,
      keepAliveMs: KEEP_ALIVE_MS,
    });
  }
  return new ConnectionPool(url.origin, {
    ...timeouts,
    connect: { ...tls, timeout: settings.connectTimeoutMs, lookup },
  });
}

function tlsOptions(tls: UpstreamTls): Record<string, string> {
  const options: Record<string, string> = {};
  if (tls.ca !== null) options["ca"] = tls.ca;
  if (tls.cert !== null) options["cert"] = tls.cert;
  if (tls.key !== null) options["key"] = tls.key;
  if (tls.serverName !== null) options["servername"] = tls.serverName;
  return options;
}

/** Connections through a forward proxy (CONNECT); the proxy resolves the name, so the address guard is its business. */
class ProxyConnections implements Connections {
  readonly #origin: string;
  readonly #agent: ProxyAgent;
  #active = 0;

  constructor(origin: string, proxyUrl: string, options: Omit<ProxyAgent.Options, "uri">) {
    this.#origin = origin;
    this.#agent = new ProxyAgent({ ...options, uri: proxyUrl });
  }

  get active(): number {
    return this.#active;
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#active++;
    this.#agent.dispatch({ ...options, origin: this.#origin }, new Leased(handler, this.#release.bind(this)));
  }

  #release(): void {
    this.#active--;
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }
}
