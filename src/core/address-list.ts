import ipaddr from "ipaddr.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A compiled list of addresses and CIDR ranges. An IPv4 address mapped into IPv6 matches as the IPv4 address. */
export class AddressList {
  readonly #ranges: readonly Range[];

  /** Throws Error naming the entry that is neither an address nor a CIDR range. */
  constructor(entries: readonly string[]) {
    this.#ranges = entries.map(parseRange);
  }

  get empty(): boolean {
    return this.#ranges.length === 0;
  }

  includes(address: string): boolean {
    if (this.#ranges.length === 0 || !ipaddr.isValid(address)) return false;
    const parsed = ipaddr.process(address);
    return this.#ranges.some(([network, bits]) => parsed.kind() === network.kind() && parsed.match(network, bits));
  }
}

function parseRange(entry: string): Range {
  try {
    if (entry.includes("/")) return ipaddr.parseCIDR(entry);
    const address = ipaddr.process(entry);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch {
    throw new Error(`not an IP address or CIDR range: ${JSON.stringify(entry)}`);
  }
}
