import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AddressList } from "./address-list.ts";

const octet = fc.integer({ min: 0, max: 255 });
const ipv4 = fc.tuple(octet, octet, octet, octet);

function numberOf([a, b, c, d]: readonly [number, number, number, number]): number {
  return ((a << 24) | (b << 16) | (c << 8) | d) >>> 0;
}

describe("AddressList", () => {
  it("matches an IPv4 range exactly as the masked numbers do", () => {
    const bits = fc.integer({ min: 0, max: 32 });
    fc.assert(
      fc.property(ipv4, ipv4, bits, (network, address, bits) => {
        const mask = bits === 0 ? 0 : (0xffffffff << (32 - bits)) >>> 0;
        const inside = (numberOf(network) & mask) >>> 0 === (numberOf(address) & mask) >>> 0;

        expect(new AddressList([`${network.join(".")}/${bits}`]).includes(address.join("."))).toBe(inside);
      }),
    );
  });

  it("matches an address near its range, not only the obvious ones", () => {
    const list = new AddressList(["10.0.0.0/9", "192.0.2.7", "2001:db8::/32"]);

    expect(["10.127.255.255", "192.0.2.7", "2001:db8:ffff::1"].map((address) => list.includes(address))).toEqual([
      true,
      true,
      true,
    ]);
    expect(["10.128.0.0", "192.0.2.8", "2001:db9::"].map((address) => list.includes(address))).toEqual([
      false,
      false,
      false,
    ]);
  });

  it("takes an IPv4 address that a dual-stack socket shows as IPv6 for the IPv4 address", () => {
    expect(new AddressList(["10.0.0.0/8"]).includes("::ffff:10.1.2.3")).toBe(true);
    expect(new AddressList(["::ffff:10.1.2.3"]).includes("10.1.2.3")).toBe(true);
    expect(new AddressList(["::/0"]).includes("10.1.2.3")).toBe(false);
  });

  it("takes a range of such addresses for the range of IPv4", () => {
    const list = new AddressList(["::ffff:10.0.0.0/104", "::ffff:192.0.2.0/120"]);
    for (const address of ["10.200.0.1", "::ffff:10.200.0.1", "192.0.2.255"]) expect(list.includes(address)).toBe(true);
    for (const address of ["11.0.0.1", "192.0.3.0", "::a:0:1"]) expect(list.includes(address)).toBe(false);
    expect(new AddressList(["::ffff:0:0/96"]).includes("203.0.113.9")).toBe(true);
  });

  it("holds no text that is not an address", () => {
    const all = new AddressList(["0.0.0.0/0", "::/0"]);
    for (const text of ["", "unknown", "10.0.0.1:80", "[::1]", "fe80::1%"]) expect(all.includes(text)).toBe(false);
  });

  it("knows that it is empty, and then holds nothing", () => {
    expect(new AddressList([]).empty).toBe(true);
    expect(new AddressList([]).includes("127.0.0.1")).toBe(false);
    expect(new AddressList(["::1"]).empty).toBe(false);
  });

  it.each(["10.0.0.0/33", "::/129", "example.com", "10.0.0.0/", "10.0.0.0/8/8", ""])("names the entry %j", (entry) => {
    expect(() => new AddressList(["127.0.0.1", entry])).toThrow(JSON.stringify(entry));
  });
});
