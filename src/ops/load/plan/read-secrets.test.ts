import { describe, expect, it } from "vitest";

import { readSecrets, type SecretSources } from "./read-secrets.ts";

const none: SecretSources = { keyFile: null, stored: null, env: {}, headers: [], auth: "x-api-key", caPem: null };
const read = (changes: Partial<SecretSources>): ReturnType<typeof readSecrets> => readSecrets({ ...none, ...changes });

describe("the keys of a run", () => {
  it("come from the key file, else WEIR_KEY, else Claude Code's variables, else the stored key, else there are none", () => {
    const env = { WEIR_KEY: "wr-test-1", ANTHROPIC_AUTH_TOKEN: "wr-test-2", ANTHROPIC_API_KEY: "sk-1" };
    const stored = { key: "wr-test-3", file: "/home/ada/.config/weir/key" };
    expect(read({ keyFile: "# two\nk-1\n\n k-2 \r\n", env })).toMatchObject({
      secrets: { keys: ["k-1", "k-2"] },
      keySource: "--key-file",
    });
    expect(read({ env })).toMatchObject({ secrets: { keys: ["wr-test-1"] }, keySource: "WEIR_KEY" });
    expect(read({ env: { WEIR_KEY: " ", ANTHROPIC_API_KEY: "sk-1" } })).toMatchObject({ secrets: { keys: ["sk-1"] } });
    expect(read({ env: { ...env, WEIR_KEY: "" } })).toMatchObject({
      secrets: { keys: ["wr-test-2"] },
      keySource: "ANTHROPIC_AUTH_TOKEN",
    });
    expect(read({ env, stored }).keySource).toBe("WEIR_KEY");
    expect(read({ stored })).toMatchObject({ secrets: { keys: [stored.key] }, keySource: stored.file });
    expect(read({})).toMatchObject({ secrets: { keys: [] }, keySource: "none" });
  });

  it("are refused without being shown when the file has none or one with blanks", () => {
    expect(() => read({ keyFile: "# only a remark\n" })).toThrow(/no key/);
    expect(() => read({ keyFile: "export KEY=canary 123" })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("canary") }),
    );
  });

  it("go into x-api-key or a bearer header", () => {
    expect(read({ auth: "bearer" }).secrets.keyHeader).toBe("authorization");
    expect(() => read({ auth: "basic" })).toThrow(/--auth/);
  });
});

describe("further headers", () => {
  it("are read by name and value", () => {
    expect(read({ headers: ["Anthropic-Beta: a, b", "x-empty:"] }).secrets.headers).toEqual({
      "anthropic-beta": "a, b",
      "x-empty": "",
    });
  });

  it.each(["no colon", ": value", "a b: c", "x: two\nlines", "x: ünïcode", "Host: elsewhere", "content-length: 3"])(
    "are refused when written as %j",
    (line) => {
      expect(() => read({ headers: [line] })).toThrow(/--header/);
    },
  );

  it("do not show their value in an error", () => {
    expect(() => read({ headers: ["x-token: canary\u0007"] })).toThrow(
      expect.objectContaining({ message: expect.not.stringContaining("canary") }),
    );
  });
});
