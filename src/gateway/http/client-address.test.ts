import { IncomingMessage } from "node:http";
import { Socket } from "node:net";

import { describe, expect, it } from "vitest";

import { AddressList } from "../../core/address-list.ts";
import { clientAddress } from "./client-address.ts";

const PROXIES = new AddressList(["10.0.0.0/8", "fd00::/8"]);

function addressOf(peer: string, forwarded?: string, trusted = PROXIES): string {
  const socket = new Socket();
  Object.defineProperty(socket, "remoteAddress", { value: peer });
  const request = new IncomingMessage(socket);
  if (forwarded !== undefined) request.headers["x-forwarded-for"] = forwarded;
  return clientAddress(request, trusted);
}

describe("clientAddress", () => {
  it("is the peer's where no proxy is trusted, whatever the header says", () => {
    expect(addressOf("198.51.100.7", "192.0.2.1", new AddressList([]))).toBe("198.51.100.7");
  });

  it("is the peer's where the peer is no trusted proxy", () => {
    expect(addressOf("198.51.100.7", "192.0.2.1")).toBe("198.51.100.7");
  });

  it("is the peer's where a trusted proxy says nothing", () => {
    expect(addressOf("10.0.0.1")).toBe("10.0.0.1");
  });

  it.each([
    ["192.0.2.1", "192.0.2.1"],
    ["192.0.2.1, 10.0.0.2", "192.0.2.1"],
    ["203.0.113.66, 192.0.2.1", "192.0.2.1"],
    ["203.0.113.66, 192.0.2.1,10.0.0.3 , 10.0.0.2", "192.0.2.1"],
    ["10.0.0.9, 192.0.2.1", "192.0.2.1"],
    ["10.0.0.3, 10.0.0.2", "10.0.0.3"],
    ["2001:db8::7, fd00::2", "2001:db8::7"],
    ["::ffff:192.0.2.1", "192.0.2.1"],
  ])(
    "is, behind a trusted proxy that says %j, the last that no trusted proxy could have made up: %s",
    (forwarded, client) => {
      expect(addressOf("10.0.0.1", forwarded)).toBe(client);
    },
  );

  it("shows an IPv4 peer of a dual-stack socket as IPv4", () => {
    expect(addressOf("::ffff:198.51.100.7")).toBe("198.51.100.7");
    expect(addressOf("::ffff:10.0.0.1", "192.0.2.1")).toBe("192.0.2.1");
  });

  it.each([
    ["192.0.2.1:4711", "192.0.2.1"],
    ["[2001:db8::7]:4711", "2001:db8::7"],
    ["[2001:db8::7]", "2001:db8::7"],
  ])("is found in %s, as some load balancers write it", (forwarded, client) => {
    expect(addressOf("10.0.0.1", forwarded)).toBe(client);
  });
});
