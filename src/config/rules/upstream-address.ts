import { AddressList } from "../../core/address-list.ts";
import type { Finding } from "../finding.ts";
import { parseUrl } from "../fields/network.ts";
import { isIpAddress, isLoopbackHost, isPublicAddress } from "../ip-address.ts";
import type { Config, UpstreamConfig } from "../schema.ts";
import { refusal, type Rule, warning, weakStart } from "./rule.ts";

/**
 * Credentials and prompts do not cross networks in clear text: refused where the profile is strict, except towards
 * addresses that the configuration calls private, which a mesh or a tunnel may encrypt.
 */
export const upstreamsAreEncrypted: Rule = ({ config, profile }) =>
  config.upstreams.flatMap((upstream, i): Finding[] => {
    const url = urlOf(upstream);
    if (url === null || url.protocol === "https:" || isLoopbackHost(url.hostname)) return [];
    const path = ["upstreams", i, "base_url"];
    const message = "http:// sends the credential and all prompts to another machine in clear text";
    if (mayBePrivate(url.hostname, config)) {
      const fix = "Use https://, unless something below encrypts this connection.";
      return [warning("upstream_without_tls", path, { message, fix })];
    }
    const fix =
      "Use https://. For an address of your own network that something below encrypts, list it in network.allow_private_upstreams.";
    return [weakStart(profile, { code: "upstream_without_tls", path, message, fix, because: BECAUSE_OF_LIST })];
  });

/** An upstream that asks for no credential serves everyone who finds it: fine within the own network alone. */
export const openUpstreamsArePrivate: Rule = ({ config, profile }) =>
  config.upstreams.flatMap((upstream, i): Finding[] => {
    const isOpen = (upstream.provider === "openai" || upstream.provider === "custom") && upstream.auth.type === "none";
    const url = urlOf(upstream);
    if (!isOpen || url === null || isLoopbackHost(url.hostname) || mayBePrivate(url.hostname, config)) return [];
    return [
      weakStart(profile, {
        code: "upstream_without_auth",
        path: ["upstreams", i, "auth", "type"],
        message: `${url.hostname} would be called without any credential, and is not known to be in a private network`,
        fix: "Give it a credential under auth, or list its address in network.allow_private_upstreams.",
        because: BECAUSE_OF_LIST,
      }),
    ];
  });

/**
 * Addresses within the own network are reached only where that was said. Names are judged when they are resolved, at
 * each connection; here only what is plain from the text.
 */
export const privateUpstreamsAreAllowed: Rule = ({ config: { upstreams, network } }) => {
  const allowed = new AddressList(network.allow_private_upstreams);
  return upstreams.flatMap((upstream, i): Finding[] => {
    const host = urlOf(upstream)?.hostname ?? null;
    if (host === null) return [];
    const address = addressOf(host);
    if (!isIpAddress(address) || isPublicAddress(address) || allowed.includes(address)) return [];
    return [
      refusal("private_upstream", ["upstreams", i, "base_url"], {
        message: `${host} is not on the public internet, and network.allow_private_upstreams does not list it`,
        fix: `Add ${JSON.stringify(address)} to network.allow_private_upstreams if it is meant.`,
      }),
    ];
  });
};

const BECAUSE_OF_LIST = [["network", "allow_private_upstreams"]] as const;

/** Endings of names that no public resolver answers for, and names without a dot. */
const PRIVATE_NAME = /^[^.]+$|\.(?:local|internal|intranet|lan|corp|home\.arpa|svc|private)\.?$/i;

/**
 * Whether a host may be within the own network: an address that is listed, or, where anything is listed, a name of a
 * kind that exists in private networks alone. What it resolves to is held to the list at each connection.
 */
function mayBePrivate(host: string, { network }: Config): boolean {
  const allowed = new AddressList(network.allow_private_upstreams);
  const address = addressOf(host);
  if (isIpAddress(address)) return !isPublicAddress(address) && allowed.includes(address);
  return !allowed.empty && PRIVATE_NAME.test(host);
}

function addressOf(host: string): string {
  return isLoopbackHost(host) && !isIpAddress(host) ? "127.0.0.1" : host.replace(/^\[(.*)\]$/, "$1");
}

/** The configured address. One that follows from region or resource is the provider's own: public, and encrypted. */
function urlOf(upstream: UpstreamConfig): URL | null {
  if (upstream.provider === "sandbox" || upstream.base_url === undefined) return null;
  return parseUrl(upstream.base_url);
}
