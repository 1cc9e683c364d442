import ipaddr from "ipaddr.js";

/** Reads an address; an IPv4 address written as IPv6 (`::ffff:10.0.0.1`) counts as IPv4. Null when it is none. */
function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const bare = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text;
  if (!ipaddr.IPv4.isValidFourPartDecimal(bare) && !ipaddr.IPv6.isValid(bare)) return null;
  return ipaddr.process(bare);
}

/** Whether the text is an IPv4 address of four decimal parts or an IPv6 address (in brackets or not). */
export function isIpAddress(text: string): boolean {
  return parseAddress(text) !== null;
}

/** Whether the text is an address or a CIDR range such as `10.0.0.0/8`. */
export function isCidr(text: string): boolean {
  return parseCidr(text) !== null;
}

/** Wider than any network that somebody has for themselves: 10.0.0.0/8 and fc00::/7 are the widest private ones. */
const WIDEST = { ipv4: 8, ipv6: 7 } as const;

/** Whether the range takes in a great part of the internet, as 0.0.0.0/0, ::/0 or the halves of either do. */
export function isWorldWide(cidr: string): boolean {
  const [base, bits] = parseCidr(cidr) ?? [null, 0];
  return base !== null && bits < WIDEST[base.kind()];
}

function parseCidr(text: string): [ipaddr.IPv4 | ipaddr.IPv6, number] | null {
  if (!text.includes("/")) {
    const address = text.startsWith("[") ? null : parseAddress(text);
    return address === null ? null : [address, address.kind() === "ipv4" ? 32 : 128];
  }
  const base = text.slice(0, text.indexOf("/"));
  if (!ipaddr.IPv4.isValidFourPartDecimal(base) && !ipaddr.IPv6.isValid(base)) return null;
  try {
    return ipaddr.parseCIDR(text);
  } catch {
    // ipaddr.js says "not a CIDR range" by throwing.
    return null;
  }
}

/** Whether the host is this machine only: `localhost`, a name under it, 127.0.0.0/8 or ::1. */
export function isLoopbackHost(host: string): boolean {
  const name = host.toLowerCase();
  if (name === "localhost" || name.endsWith(".localhost")) return true;
  return parseAddress(name)?.range() === "loopback";
}

/** Azure's platform address serves metadata and credentials from the public range. */
const PLATFORM_ADDRESSES: ReadonlySet<string> = new Set(["168.63.129.16"]);

/**
 * Whether an address belongs to the public internet: not loopback, private, link-local (where clouds keep their
 * metadata services), carrier-grade NAT, multicast, reserved or a translation of such a one.
 */
export function isPublicAddress(text: string): boolean {
  const address = parseAddress(text);
  return address !== null && address.range() === "unicast" && !PLATFORM_ADDRESSES.has(address.toString());
}
