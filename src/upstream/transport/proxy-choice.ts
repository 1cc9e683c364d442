import { AddressList } from "../../core/address-list.ts";

/** Which forward proxy, if any, requests to a URL take. */
export interface ProxySettings {
  readonly httpProxy: string | null;
  readonly httpsProxy: string | null;
  /** Entries of NO_PROXY: host names, `.suffix`, `*`, `host:port`, addresses, or ranges of addresses (`10.0.0.0/8`). */
  readonly noProxy: readonly string[];
}

/** The proxy for `target` by the customary rules of HTTP_PROXY, HTTPS_PROXY and NO_PROXY; null for a direct connection. */
export function proxyFor(target: URL, settings: ProxySettings): string | null {
  const proxy = target.protocol === "https:" ? settings.httpsProxy : settings.httpProxy;
  if (proxy === null || settings.noProxy.some((entry) => excludes(entry, target))) return null;
  return proxy;
}

function excludes(entry: string, target: URL): boolean {
  const rule = entry.trim().toLowerCase();
  if (rule === "") return false;
  if (rule === "*") return true;
  if (rule.includes("/")) return isInRange(rule, hostOf(target));
  // Without brackets, two colons or more are an IPv6 address, which no port can follow.
  const bare = !rule.startsWith("[") && rule.split(":").length > 2;
  const [, name = rule, port] = bare ? [] : (/^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(rule) ?? []);
  const defaultPort = target.protocol === "https:" ? "443" : "80";
  if (port !== undefined && port !== (target.port === "" ? defaultPort : target.port)) return false;
  const host = hostOf(target);
  const suffix = name.replace(/^\*?\./, "");
  return host === suffix || host.endsWith(`.${suffix}`);
}

function hostOf(target: URL): string {
  return target.hostname.toLowerCase().replace(/^\[|\]$/g, "");
}

/** As elsewhere, a range is for hosts that are written as addresses: names are not looked up for it. */
function isInRange(range: string, host: string): boolean {
  try {
    return new AddressList([range]).includes(host);
  } catch {
    // Not a range: an entry that no host has.
    return false;
  }
}
