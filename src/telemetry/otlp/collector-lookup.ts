import { lookup, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";

import { AddressList } from "../../core/address-list.ts";

/** Where clouds tell a machine its own secrets. Collectors are often in private networks, never here. */
const METADATA = new AddressList(["169.254.0.0/16", "fe80::/10", "fd00:ec2::/32", "100.100.100.200/32"]);

/** Whether telemetry may not be sent to an address: a machine's own metadata service. */
export function isMetadataAddress(address: string): boolean {
  return METADATA.includes(address);
}

/** A look-up for sockets that refuses names which resolve to a metadata service; the address checked is the one connected to. */
export const collectorLookup: LookupFunction = (hostname, options, callback) => {
  lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
    const refused = addresses?.find(({ address }) => isMetadataAddress(address));
    const first = addresses?.[0];
    if (error !== null) callback(error, []);
    else if (refused !== undefined) callback(new Error(`${hostname} resolves to ${refused.address}`), []);
    else if (options.all === true || first === undefined) callback(null, addresses);
    else callback(null, first.address, first.family);
  });
};
