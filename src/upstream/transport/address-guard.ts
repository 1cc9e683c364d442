import { lookup, type LookupAddress } from "node:dns";
import type { LookupFunction } from "node:net";

import { isPublicAddress } from "../../config/ip-address.ts";
import type { AddressList } from "../../core/address-list.ts";

/**
 * A look-up for sockets that connects only where the configuration allows. The check is made on the very addresses that
 * the socket then connects to, so a name cannot resolve to one address for the check and to another for the connection.
 */
export function guardedLookup(allowPrivate: AddressList): LookupFunction {
  return (hostname, options, callback) => {
    lookup(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error !== null) {
        callback(error, []);
        return;
      }
      const refused = addresses.find(({ address }) => !isAllowed(address, allowPrivate));
      if (refused !== undefined) {
        callback(new AddressRefused(hostname, refused.address), []);
        return;
      }
      const first = addresses[0];
      if (options.all === true || first === undefined) callback(null, addresses);
      else callback(null, first.address, first.family);
    });
  };
}

/** An upstream's name resolved to an address that is neither public nor allowed. */
export class AddressRefused extends Error {
  readonly code = "WEIR_ADDRESS_REFUSED";

  constructor(hostname: string, address: string) {
    super(
      `${hostname} resolves to ${address}, which is not a public address; ` +
        `add it to network.allow_private_upstreams if this upstream is meant to be there`,
    );
  }
}

/** Whether an upstream may be at `address`: public, or in a range that the configuration allows. */
export function isAllowed(address: string, allowPrivate: AddressList): boolean {
  return isPublicAddress(address) || allowPrivate.includes(address);
}
