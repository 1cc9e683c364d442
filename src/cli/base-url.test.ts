import { describe, expect, it } from "vitest";

import { loadText } from "../config/testing/config-directory.ts";
import { baseUrlOf } from "./base-url.ts";

async function urlFor(listen: string): Promise<string | null> {
  const loaded = await loadText(`listen: ${listen}\n`);
  if (!loaded.ok) throw new Error(JSON.stringify(loaded.diagnostics));
  return baseUrlOf(loaded.config);
}

describe("the address for clients", () => {
  it.each([
    ["{}", "http://127.0.0.1:8080"],
    ["{ host: localhost, port: 9000 }", "http://localhost:9000"],
    ["{ host: '::1' }", "http://[::1]:8080"],
    [
      "{ host: 0.0.0.0, public_url: 'https://weir.example.com/', trusted_proxies: [10.0.0.0/8] }",
      "https://weir.example.com",
    ],
    ["{ port: 0 }", null],
  ])("given listen %s is %s", async (listen, url) => {
    expect(await urlFor(listen)).toBe(url);
  });
});
