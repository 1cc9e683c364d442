import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";

import { AddressList } from "../core/address-list.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import { proxyFor } from "../upstream/transport/proxy-choice.ts";
import type { UpstreamSettings, UpstreamTls } from "../upstream/upstream.ts";

/** The sandbox answers on loopback, wherever other upstreams may be. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];

/** The settings of a configured upstream, PEM files read. `sandboxUrl` is where the built-in one listens. */
export async function upstreamSettings(
  upstream: UpstreamConfig,
  config: Config,
  sandboxUrl: string | null,
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
      baseUrl: sandboxUrl ?? "",
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
    proxyUrl: proxyUrl(upstream, config),
    tls: await tlsOf(upstream, config),
    allowPrivate: new AddressList(config.network.allow_private_upstreams),
    forwardUserIdentity: upstream.forward_user_identity,
  };
}

type RemoteUpstream = Exclude<UpstreamConfig, { provider: "sandbox" }>;

/** An upstream's own proxy, else the network's (which the loader has filled from the environment where it may). */
function proxyUrl(upstream: RemoteUpstream, { network }: Config): string | null {
  if (upstream.proxy === "direct") return null;
  const { http_proxy, https_proxy, no_proxy } = network.proxy;
  const settings = { httpProxy: http_proxy ?? null, httpsProxy: https_proxy ?? null, noProxy: no_proxy };
  return upstream.proxy ?? proxyFor(new URL(upstream.base_url), settings);
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
