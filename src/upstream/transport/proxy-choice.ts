/** Which forward proxy, if any, requests to a URL take. */
export interface ProxySettings {
  readonly httpProxy: string | null;
  readonly httpsProxy: string | null;
  /** Entries of NO_PROXY: host names, `.suffix`, `*`, `host:port`, or addresses. */
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
  // Without brackets, two colons or more are an IPv6 address, which no port can follow.
  const bare = !rule.startsWith("[") && rule.split(":").length > 2;
  const [, name = rule, port] = bare ? [] : (/^\[?([^\]]*?)\]?(?::(\d+))?$/.exec(rule) ?? []);
  const defaultPort = target.protocol === "https:" ? "443" : "80";
  if (port !== undefined && port !== (target.port === "" ? defaultPort : target.port)) return false;
  const host = target.hostname.toLowerCase().replace(/^\[|\]$/g, "");
  const suffix = name.replace(/^\*?\./, "");
  return host === suffix || host.endsWith(`.${suffix}`);
}
