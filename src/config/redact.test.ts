import { describe, expect, it } from "vitest";

import { redactConfig, redactUrl } from "./redact.ts";
import { loadText } from "./testing/config-directory.ts";

describe("a configuration that is shown", () => {
  it("has no secret in it, and everything else", async () => {
    const result = await loadText(`
      listen: { port: 9 }
      store:
        postgres_url: postgres://weir:canary-1@db.example.com:5432/weir?sslpassword=canary-2
        password: canary-3-3333
      upstreams:
        - provider: anthropic
          auth: { api_key: canary-4-4444444444 }
          proxy: http://user:canary-5@proxy.example.com:3128
          headers: { x-tenant: canary-6 }
        - { provider: anthropic, name: other, auth: { oauth_token: canary-7-7777777777 }, proxy: direct }
      network: { proxy: { https_proxy: "http://canary-8@proxy.example.com" } }
      security: { key_pepper: canary-9-9999999999999999999999999999 }
    `);
    if (!result.ok) throw new Error(JSON.stringify(result.diagnostics));
    const shown = redactConfig(result.config);
    expect(JSON.stringify(shown)).not.toContain("canary");
    expect(shown).toMatchObject({
      listen: { port: 9 },
      store: { postgres_url: "postgres://[redacted]@db.example.com:5432/weir?[redacted]", password: "[redacted]" },
      upstreams: [
        {
          base_url: "https://api.anthropic.com",
          auth: { api_key: "[redacted]" },
          proxy: "http://[redacted]@proxy.example.com:3128",
          headers: { "x-tenant": "[redacted]" },
        },
        { auth: { oauth_token: "[redacted]" }, proxy: "direct" },
      ],
      security: { key_pepper: "[redacted]" },
    });
    expect(result.config.security.key_pepper).toContain("canary");
  });
});

describe("a URL that is shown", () => {
  it.each([
    ["https://api.anthropic.com", "https://api.anthropic.com"],
    ["https://gw.example.com/v1/", "https://gw.example.com/v1/"],
    ["http://u:p@proxy:3128", "http://[redacted]@proxy:3128"],
    ["http://token@proxy:3128/", "http://[redacted]@proxy:3128/"],
    ["postgres://db/weir?password=p", "postgres://db/weir?[redacted]"],
    ["direct", "direct"],
    ["u:p@host oops", "[redacted]"],
    ["http://u:p@[broken", "[redacted]"],
  ])("%s becomes %s", (url, shown) => expect(redactUrl(url)).toBe(shown));
});
