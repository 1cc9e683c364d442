import { type LookupAddress, lookup } from "node:dns";
import { isIP, type LookupFunction } from "node:net";

import { Agent, type Dispatcher, fetch, ProxyAgent } from "undici";

import type { Config } from "../../config/schema.ts";
import { AddressList } from "../../core/address-list.ts";
import type { ProviderFetch } from "../../identity/oidc/oidc-provider.ts";
import type { ProviderSettings } from "../../identity/oidc/provider-settings.ts";
import { proxyFor } from "../../upstream/transport/proxy-choice.ts";
import { proxySettings } from "../upstreams/way-out.ts";

/** Where clouds serve their machines' credentials; no identity provider is there. Private networks are allowed: they are. */
const METADATA = new AddressList(["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32"]);
const CONNECT_TIMEOUT_MS = 5_000;

/** How requests reach an identity provider: its own certificate authority, a proxy where wanted, never a metadata service. */
export function providerFetch(settings: ProviderSettings, config: Config): ProviderFetch {
  const direct = new Agent({ connect: connectOptions(settings) });
  return async (url, options) => {
    const target = new URL(url);
    const host = target.hostname.replace(/^\[|\]$/g, "");
    if (isIP(host) !== 0 && METADATA.includes(host)) throw new MetadataAddress(host);
    const dispatcher = dispatcherFor(target, { settings, config, direct });
    const { method, headers, body, redirect, signal } = options;
    const answer = await fetch(url, {
      method,
      headers,
      body: body ?? null,
      redirect,
      signal: signal ?? null,
      dispatcher,
    });
    return answer;
  };
}

function dispatcherFor(
  target: URL,
  { settings, config, direct }: { settings: ProviderSettings; config: Config; direct: Dispatcher },
): Dispatcher {
  const proxy = settings.use_proxy ? proxyFor(target, proxySettings(config)) : null;
  return proxy === null ? direct : new ProxyAgent({ uri: proxy, requestTls: connectOptions(settings) });
}

function connectOptions({ ca_cert_pem }: ProviderSettings): { timeout: number; ca?: string; lookup: LookupFunction } {
  return { timeout: CONNECT_TIMEOUT_MS, lookup: guarded, ...(ca_cert_pem === undefined ? {} : { ca: ca_cert_pem }) };
}

/** The check is made on the addresses that the socket then connects to. */
const guarded: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const refused = addresses?.find(({ address }) => METADATA.includes(address));
    const first = addresses?.[0];
    if (error !== null) callback(error, []);
    else if (refused !== undefined) callback(new MetadataAddress(refused.address), []);
    else if (options.all === true || first === undefined) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};

/** An identity provider's name resolved to where clouds keep credentials. */
class MetadataAddress extends Error {
  constructor(address: string) {
    super(`${address} is an address of cloud metadata, not of an identity provider`);
    this.name = "MetadataAddress";
  }
}
