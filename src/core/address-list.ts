import ipaddr from "ipaddr.js";

type Range = [ipaddr.IPv4 | ipaddr.IPv6, number];

/** A compiled list of addresses and CIDR ranges. IPv4 mapped into IPv6 counts as IPv4, in addresses and in ranges. */
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

/** The first 96 bits of how IPv6 writes IPv4 addresses are fixed: a range within them is one of IPv4. */
const MAPPED_BITS = 96;

/** `::ffff:10.0.0.0/104` is `10.0.0.0/8`: addresses are compared as what they are, so ranges have to be. */
function unmapped([network, bits]: Range): Range {
  const isMapped = network instanceof ipaddr.IPv6 && network.isIPv4MappedAddress() && bits >= MAPPED_BITS;
  return isMapped ? [network.toIPv4Address(), bits - MAPPED_BITS] : [network, bits];
}

function parseRange(entry: string): Range {
  try {
    if (entry.includes("/")) return unmapped(ipaddr.parseCIDR(entry));
    const address = ipaddr.process(entry);
    return [address, address.kind() === "ipv4" ? 32 : 128];
  } catch {
    throw new Error(`not an IP address or CIDR range: ${JSON.stringify(entry)}`);
  }
}
