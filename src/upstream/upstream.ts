import { ProxyAgent, type Client, type Dispatcher } from "undici";

import type { AddressList } from "../core/address-list.ts";
import { guardedLookup, isAllowed, AddressRefused } from "./transport/address-guard.ts";
import { ConnectionPool, type Connections } from "./transport/connection-pool.ts";

export interface UpstreamTls {
  /** PEM texts, already read. */
  readonly ca: string | null;
  readonly cert: string | null;
  readonly key: string | null;
  readonly serverName: string | null;
}

/** Everything about one upstream, resolved from the configuration. */
export interface UpstreamSettings {
  readonly name: string;
  readonly provider: string;
  /** Origin and optional path prefix, without a trailing slash. */
  readonly baseUrl: string;
  /** The credential headers, lower-case names. */
  readonly authHeaders: Readonly<Record<string, string>>;
  /** Further headers that the configuration adds. */
  readonly extraHeaders: Readonly<Record<string, string>>;
  /** URL of a forward proxy, or null for a direct connection. */
  readonly proxyUrl: string | null;
  readonly tls: UpstreamTls;
  readonly connectTimeoutMs: number;
  readonly headersTimeoutMs: number;
  readonly idleTimeoutMs: number;
  /** Private, loopback and link-local ranges in which the upstream may be. */
  readonly allowPrivate: AddressList;
  readonly forwardUserIdentity: boolean;
}

/** How long an idle connection is kept. Providers close at about a minute or say so themselves. */
const KEEP_ALIVE_MS = 30_000;

/** One place that serves the Messages API: its address, its credential and its connections. */
export class Upstream {
  readonly settings: UpstreamSettings;
  readonly name: string;
  /** What precedes `/v1/messages` in the path. */
  readonly basePath: string;
  /** Flat name, value list, ready for undici. */
  readonly fixedHeaders: readonly string[];
  readonly connections: Connections;

  constructor(settings: UpstreamSettings) {
    const url = new URL(settings.baseUrl);
    this.settings = settings;
    this.name = settings.name;
    this.basePath = url.pathname.replace(/\/+$/, "");
    this.fixedHeaders = Object.entries({ ...settings.extraHeaders, ...settings.authHeaders }).flat();
    this.connections = connect(url, settings);
  }

  get isSandbox(): boolean {
    return this.settings.provider === "sandbox";
  }

  /** Sends a request. Redirects are never followed: the caller sees them as any other status. */
  dispatch(request: UpstreamRequest, handler: Dispatcher.DispatchHandler): void {
    this.connections.dispatch(
      {
        path: this.basePath + request.path,
        method: request.method,
        headers: request.headers,
        body: request.body,
        headersTimeout: this.settings.headersTimeoutMs,
        bodyTimeout: this.settings.idleTimeoutMs,
      },
      handler,
    );
  }
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
  return new ConnectionPool(url.origin, {
    ...timeouts,
    connect: { ...tls, timeout: settings.connectTimeoutMs, lookup: guardedLookup(settings.allowPrivate) },
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
  readonly active = 0;
  readonly #origin: string;
  readonly #agent: ProxyAgent;

  constructor(origin: string, proxyUrl: string, options: Omit<ProxyAgent.Options, "uri">) {
    this.#origin = origin;
    this.#agent = new ProxyAgent({ ...options, uri: proxyUrl });
  }

  dispatch(options: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler): void {
    this.#agent.dispatch({ ...options, origin: this.#origin }, handler);
  }

  async close(): Promise<void> {
    await this.#agent.close();
  }

  async destroy(): Promise<void> {
    await this.#agent.destroy();
  }
}
