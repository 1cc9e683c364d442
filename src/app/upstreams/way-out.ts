import { readFile } from "node:fs/promises";
import { rootCertificates } from "node:tls";

import type { Config, UpstreamConfig } from "../../config/schema.ts";
import type { NetworkSettings } from "../../upstream/credentials/token-network.ts";
import { proxyFor, type ProxySettings } from "../../upstream/transport/proxy-choice.ts";
import type { UpstreamTls } from "../../upstream/upstream.ts";

type RemoteUpstream = Exclude<UpstreamConfig, { provider: "sandbox" }>;

/** An upstream's own proxy, else the network's (which the loader has filled from the environment where it may). */
export function proxyUrlOf(upstream: RemoteUpstream, baseUrl: string, config: Config): string | null {
  if (upstream.proxy === "direct") return null;
  return upstream.proxy ?? proxyFor(new URL(baseUrl), proxySettings(config));
}

/** An upstream's own authority replaces the system's; the network's is trusted besides them. Reads the PEM files. */
export async function tlsOf(upstream: RemoteUpstream, config: Config): Promise<UpstreamTls> {
  const own = upstream.tls;
  return {
    ca: (await pem(own?.ca)) ?? (await networkCa(config)),
    cert: await pem(own?.cert),
    key: await pem(own?.key),
    serverName: own?.server_name ?? null,
  };
}

/** The way to token endpoints: the network's, not an upstream's own, which leads to its provider alone. */
export async function tokenNetworkOf(config: Config): Promise<NetworkSettings> {
  return { proxy: proxySettings(config), ca: await networkCa(config) };
}

/** The proxies of the configuration (which the loader has filled from the environment where it may). */
export function proxySettings({ network }: Config): ProxySettings {
  const { http_proxy, https_proxy, no_proxy } = network.proxy;
  return { httpProxy: http_proxy ?? null, httpsProxy: https_proxy ?? null, noProxy: no_proxy };
}

async function networkCa({ network }: Config): Promise<string | null> {
  const ca = await pem(network.tls.ca);
  return ca === null ? null : [...rootCertificates, ca].join("\n");
}

async function pem(file: string | undefined): Promise<string | null> {
  return file === undefined ? null : await readFile(file, "utf8");
}
