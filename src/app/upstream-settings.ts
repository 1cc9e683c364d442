import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";

import { AddressList } from "../core/address-list.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import { proxyFor, type ProxySettings } from "../upstream/transport/proxy-choice.ts";
import type { UpstreamSettings, UpstreamTls } from "../upstream/upstream.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** The sandbox answers on loopback, wherever other upstreams may be. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];

/** The settings of a configured upstream, PEM files read. `sandboxUrl` is where the built-in one listens. */
export async function upstreamSettings(
  upstream: UpstreamConfig,
  config: Config,
  context: { env: Environment; sandboxUrl: string | null },
): Promise<UpstreamSettings> {
  const common = {
    name: upstream.name,
    provider: upstream.provider,
    connectTimeoutMs: config.timeouts.upstream_connect_ms,
    headersTimeoutMs: config.timeouts.upstream_ttfb_ms,
    idleTimeoutMs: config.timeouts.upstream_idle_ms,
  };
  if (upstream.provider === "sandbox") {
    return {
      ...common,
      baseUrl: context.sandboxUrl ?? "",
      authHeaders: { "x-api-key": "sandbox" },
      extraHeaders: {},
      proxyUrl: null,
      tls: { ca: null, cert: null, key: null, serverName: null },
      allowPrivate: new AddressList(LOOPBACK),
      forwardUserIdentity: false,
    };
  }
  const { api_key, oauth_token } = upstream.auth;
  return {
    ...common,
    baseUrl: upstream.base_url,
    authHeaders: api_key === undefined ? { authorization: `Bearer ${oauth_token}` } : { "x-api-key": api_key },
    extraHeaders: upstream.headers,
    proxyUrl: proxyUrl(upstream, config, context.env),
    tls: await tlsOf(upstream, config),
    allowPrivate: new AddressList(config.network.allow_private_upstreams),
    forwardUserIdentity: upstream.forward_user_identity,
  };
}

type RemoteUpstream = Exclude<UpstreamConfig, { provider: "sandbox" }>;

/** An upstream's own proxy, else the configured ones, else the environment's. */
function proxyUrl(upstream: RemoteUpstream, config: Config, env: Environment): string | null {
  if (upstream.proxy === "direct") return null;
  return upstream.proxy ?? proxyFor(new URL(upstream.base_url), proxySettings(config, env));
}

function proxySettings({ network: { proxy } }: Config, env: Environment): ProxySettings {
  const fromEnv = (name: string): string | null => {
    if (!proxy.from_environment) return null;
    // The lower-case form is the older custom; an empty value means "none".
    const value = env[name.toLowerCase()] ?? env[name];
    return value === undefined || value === "" ? null : value;
  };
  return {
    httpsProxy: proxy.https_proxy ?? fromEnv("HTTPS_PROXY"),
    httpProxy: proxy.http_proxy ?? fromEnv("HTTP_PROXY"),
    noProxy: [...proxy.no_proxy, ...(fromEnv("NO_PROXY")?.split(",") ?? [])],
  };
}

/** An upstream's own authority replaces the system's; the network's is trusted besides them. */
async function tlsOf(upstream: RemoteUpstream, config: Config): Promise<UpstreamTls> {
  const read = async (file: string | undefined): Promise<string | null> =>
    file === undefined ? null : await readFile(file, "utf8");
  const own = upstream.tls;
  const networkCa = await read(config.network.tls.ca);
  return {
    ca: (await read(own?.ca)) ?? (networkCa === null ? null : [...rootCertificates, networkCa].join("\n")),
    cert: await read(own?.cert),
    key: await read(own?.key),
    serverName: own?.server_name ?? null,
  };
}
