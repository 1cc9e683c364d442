import { describe, expect, it } from "vitest";

import { proxyFor } from "./proxy-choice.ts";

const HTTP = "http://proxy:3128";
const HTTPS = "http://secure-proxy:3128";

function choose(url: string, ...noProxy: string[]): string | null {
  return proxyFor(new URL(url), { httpProxy: HTTP, httpsProxy: HTTPS, noProxy });
}

describe("proxyFor", () => {
  it("takes the proxy of the scheme", () => {
    expect(choose("https://api.anthropic.com")).toBe(HTTPS);
    expect(choose("http://api.anthropic.com")).toBe(HTTP);
    expect(proxyFor(new URL("https://a"), { httpProxy: HTTP, httpsProxy: null, noProxy: [] })).toBeNull();
  });

  it.each([
    ["https://example.com", "example.com"],
    ["https://api.example.com", "example.com"],
    ["https://api.example.com", ".example.com"],
    ["https://example.com", ".example.com"],
    ["https://api.example.com", "*.example.com"],
    ["https://API.Example.com", "api.EXAMPLE.com"],
    ["https://anything", "*"],
    ["https://example.com", "example.com:443"],
    ["http://example.com", "example.com:80"],
    ["https://example.com:8443", "example.com:8443"],
    ["https://example.com:8443", "example.com"],
    ["http://10.1.2.3", "10.1.2.3"],
    ["http://[::1]", "[::1]"],
    ["http://[::1]:8080", "[::1]:8080"],
    ["http://[::1]", "::1"],
    ["http://[fd00::2]", "fd00::2"],
    ["https://example.com", " example.com "],
    ["http://10.1.2.3", "10.0.0.0/8"],
    ["https://10.1.2.3:8443", "10.1.2.0/24"],
    ["http://[fd00::2]", "fd00::/8"],
    ["http://[::ffff:10.1.2.3]", "10.0.0.0/8"],
  ])("goes to %s directly when NO_PROXY has %s", (url, entry) => {
    expect(choose(url, "other.org", entry)).toBeNull();
  });

  it.each([
    ["https://badexample.com", "example.com"],
    ["https://example.com.evil.org", "example.com"],
    ["https://example.com", "api.example.com"],
    ["https://example.com", "example.com:8443"],
    ["https://example.com:8443", "example.com:443"],
    ["https://example.com", ""],
    ["https://example.com", " "],
    ["https://example.com", "."],
    ["http://[::2]", "::1"],
    ["http://11.1.2.3", "10.0.0.0/8"],
    ["http://10.example.com", "10.0.0.0/8"],
    ["http://10.1.2.3", "10.0.0.0/99"],
    ["http://10.1.2.3", "https://10.1.2.3/"],
    ["http://[fd00::2]", "10.0.0.0/8"],
    ["http://[::1]:8080", "[::1]:9090"],
  ])("does not go to %s directly when NO_PROXY has %j", (url, entry) => {
    expect(choose(url, entry)).not.toBeNull();
  });
});
