import { describe, expect, it } from "vitest";

import { codeOf, failure, isConnectError } from "./failure.ts";

describe("what a server said about a failure", () => {
  it("cannot write to the terminal or reverse the text", () => {
    const { detail, message } = failure(
      "http",
      { detail: "\u001B]0;owned\u0007x", message: "a\u001B[2J\r\nb\u202Ec\u0000\u2028d" },
      [],
    );
    expect(detail).toBe("]0;owned x");
    expect(message).toBe("a [2J b c d");
  });

  it("is kept short", () => {
    const { detail, message } = failure("http", { detail: "d".repeat(500), message: "m".repeat(5000) }, []);
    expect(detail).toHaveLength(80);
    expect(message).toHaveLength(300);
  });

  it("does not repeat a key that was sent to it", () => {
    const { message } = failure("http", { detail: "", message: "invalid key wr-test-canary, really wr-test-canary" }, [
      "wr-test-canary",
    ]);
    expect(message).toBe("invalid key [redacted], really [redacted]");
  });
});

describe("an error of the connection", () => {
  it("goes by its code, also when that is its cause's", () => {
    const refused = Object.assign(new Error("no"), { code: "ECONNREFUSED" });
    expect(codeOf(refused)).toBe("ECONNREFUSED");
    expect(codeOf(new Error("outer", { cause: refused }))).toBe("ECONNREFUSED");
    expect(codeOf(Object.assign(new Error("other side closed"), { code: "UND_ERR_SOCKET" }))).toBe("closed");
    expect(codeOf(new TypeError("x"))).toBe("TypeError");
    expect(isConnectError(refused)).toBe(true);
    expect(isConnectError(Object.assign(new Error("x"), { code: "ECONNRESET" }))).toBe(false);
  });
});
