import type { LookupAddress } from "node:dns";

import { describe, expect, it } from "vitest";

import { AddressList } from "../../core/address-list.ts";
import { AddressRefused, guardedLookup, isAllowed } from "./address-guard.ts";

const NOWHERE = new AddressList([]);

describe("isAllowed", () => {
  it.each(["8.8.8.8", "160.79.104.10", "2606:4700::1111", "::ffff:8.8.8.8"])("lets an upstream be at %s", (address) => {
    expect(isAllowed(address, NOWHERE)).toBe(true);
  });

  it.each([
    "127.0.0.1",
    "127.8.8.8",
    "0.0.0.0",
    "10.0.0.1",
    "172.16.0.1",
    "172.31.255.255",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "168.63.129.16",
    "::ffff:168.63.129.16",
    "192.0.0.192",
    "198.18.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "fe80::1",
    "fd00:ec2::254",
    "ff02::1",
    "2001:db8::1",
    "::ffff:169.254.169.254",
    "::ffff:a9fe:a9fe",
    "64:ff9b::a9fe:a9fe",
    "2002:a9fe:a9fe::1",
    "not an address",
    "",
  ])("does not let an upstream be at %j unasked", (address) => {
    expect(isAllowed(address, NOWHERE)).toBe(false);
  });

  it("lets an upstream be in exactly the private ranges that the configuration names", () => {
    const list = new AddressList(["10.1.0.0/16", "fd00:1::/32"]);

    expect(["10.1.2.3", "::ffff:10.1.2.3", "fd00:1::5"].map((address) => isAllowed(address, list))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["10.2.0.1", "fd00:2::5", "169.254.169.254"].map((address) => isAllowed(address, list))).toEqual([
      false,
      false,
      false,
    ]);
  });
});

describe("guardedLookup", () => {
  type Found = { error: Error | null; addresses: string | LookupAddress[]; family: number | undefined };

  function lookUp(allow: AddressList, options: { all?: boolean }): Promise<Found> {
    return new Promise((resolve) => {
      guardedLookup(allow)("localhost", options, (error, addresses, family) => resolve({ error, addresses, family }));
    });
  }

  it("refuses a name that resolves to where no upstream may be, and says how to allow it", async () => {
    const { error, addresses } = await lookUp(NOWHERE, { all: true });

    expect(error).toBeInstanceOf(AddressRefused);
    expect(error?.message).toMatch(
      /^localhost resolves to (127\.0\.0\.1|::1), which is not a public address; add it to network\.allow_private_upstreams/,
    );
    expect(error).toMatchObject({ code: "WEIR_ADDRESS_REFUSED" });
    expect(addresses).toEqual([]);
  });

  it("hands over the very addresses that it has checked", async () => {
    const { error, addresses } = await lookUp(new AddressList(["127.0.0.0/8", "::1"]), { all: true });

    expect(error).toBeNull();
    expect(addresses).toContainEqual(expect.objectContaining({ family: expect.any(Number) }));
  });

  it("hands over one address to those who ask for one", async () => {
    const { addresses, family } = await lookUp(new AddressList(["127.0.0.0/8", "::1"]), {});

    expect(["127.0.0.1", "::1"]).toContain(addresses);
    expect([4, 6]).toContain(family);
  });

  it("passes the failure of a look-up on", async () => {
    const error = await new Promise((resolve) => {
      guardedLookup(NOWHERE)("no-such-host.invalid", { all: true }, resolve);
    });

    expect(error).toMatchObject({ code: expect.stringMatching(/^E/) });
  });
});
