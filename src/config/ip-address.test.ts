import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { AddressList } from "../core/address-list.ts";
import { isCidr, isIpAddress, isLoopbackHost, isPublicAddress, isWorldWide } from "./ip-address.ts";

describe("addresses and ranges", () => {
  it.each(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "0.0.0.0/0"])("takes %s as a range", (text) => {
    expect(isCidr(text)).toBe(true);
  });

  it.each([
    "10.0.0.0/33",
    "10.0.0/8",
    "300.1.1.1",
    "example.com",
    "",
    "10",
    "::1/129",
    "[::1]",
    "10.0.0.0/8/8",
    "0x7f.1",
  ])("does not take %s as a range", (text) => expect(isCidr(text)).toBe(false));

  it("takes only what the address lists of the data plane take", () => {
    const part = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("[::1]", "10", "1.2.3", "::ffff:10.0.0.1"));
    const suffix = fc.oneof(
      fc.constant(""),
      fc.integer({ min: -1, max: 140 }).map((bits) => `/${bits}`),
    );
    fc.assert(
      fc.property(part, suffix, (address, bits) => {
        const text = address + bits;
        if (isCidr(text)) expect(() => new AddressList([text])).not.toThrow();
      }),
    );
  });

  it.each(["0.0.0.0/0", "::/0", "0.0.0.0/1", "128.0.0.0/1", "8000::/1", "::/1"])(
    "knows that %s is everybody",
    (range) => {
      expect(isWorldWide(range)).toBe(true);
    },
  );

  it.each(["10.0.0.0/8", "fc00::/7", "127.0.0.1", "::1", "192.168.0.0/16"])("knows that %s is somebody", (range) => {
    expect(isWorldWide(range)).toBe(false);
  });

  it("reads IPv6 with and without brackets", () => {
    expect(isIpAddress("[::1]")).toBe(true);
    expect(isIpAddress("::1")).toBe(true);
  });
});

describe("loopback and public", () => {
  it.each(["localhost", "LOCALHOST", "weir.localhost", "127.0.0.1", "127.9.9.9", "::1", "[::1]", "::ffff:127.0.0.1"])(
    "%s is this machine",
    (host) => expect(isLoopbackHost(host)).toBe(true),
  );

  it.each(["0.0.0.0", "::", "10.0.0.1", "localhost.example.com", "example.com"])("%s is not this machine", (host) => {
    expect(isLoopbackHost(host)).toBe(false);
  });

  it.each([
    "127.0.0.1",
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "169.254.169.254",
    "100.64.0.1",
    "168.63.129.16",
    "0.0.0.0",
    "::1",
    "fd00:ec2::254",
    "fe80::1",
    "::ffff:10.0.0.1",
    "64:ff9b::a00:1",
    "not an address",
  ])("%s is not on the public internet", (address) => expect(isPublicAddress(address)).toBe(false));

  it.each(["1.1.1.1", "160.79.104.10", "2606:4700::1111"])("%s is on the public internet", (address) => {
    expect(isPublicAddress(address)).toBe(true);
  });
});
