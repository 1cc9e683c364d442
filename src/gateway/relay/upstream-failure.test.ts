import { describe, expect, it } from "vitest";

import { AddressRefused } from "../../upstream/transport/address-guard.ts";
import { connectionFailure } from "./upstream-failure.ts";

function coded(code: string): Error {
  return Object.assign(new Error(code), { code });
}

describe("connectionFailure", () => {
  it.each([
    ["UND_ERR_CONNECT_TIMEOUT", "connect"],
    ["UND_ERR_HEADERS_TIMEOUT", "first_byte"],
    ["UND_ERR_BODY_TIMEOUT", "idle"],
  ])("takes %s for a time-out, and says which", (code, phase) => {
    expect(connectionFailure(coded(code))).toEqual({ kind: "timeout", phase });
  });

  it.each(["ECONNREFUSED", "ENOTFOUND", "CERT_HAS_EXPIRED"])("takes %s for a connection that was not made", (code) => {
    expect(connectionFailure(coded(code))).toEqual({ kind: "connect_error", detail: code });
  });

  it("takes an address that is not allowed for a connection that was not made: nothing was sent", () => {
    expect(connectionFailure(new AddressRefused("metadata.test", "169.254.169.254")).kind).toBe("connect_error");
  });

  it.each(["UND_ERR_SOCKET", "ECONNRESET", "HPE_INVALID_CHUNK_SIZE"])("takes %s for a cut", (code) => {
    expect(connectionFailure(coded(code))).toEqual({ kind: "cut" });
  });
});
