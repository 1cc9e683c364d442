import { describe, expect, it } from "vitest";

import { excerptOf } from "./excerpt.ts";
import { parseSource } from "./parse-source.ts";
import { formatPath } from "./path.ts";

const SHOWABLE = new Set(["port", "name", "auth.kind"]);

function excerpt(text: string, line = 1): string | null {
  return excerptOf(parseSource("/weir.yaml", text), line, {
    value: (path) => SHOWABLE.has(formatPath(path)),
    key: (word) => word === "api_key",
  });
}

describe("an excerpt of the file", () => {
  it("shows a line whose values are no secrets, without its comment", () => {
    expect(excerpt("port: 8080  # was hunter2")).toBe("port: 8080");
    expect(excerpt('name: "a # b" # c')).toBe('name: "a # b"');
    expect(excerpt("a: 1\n  # only a comment\n", 2)).toBe("");
  });

  it("hides the line from the first value on that may be secret", () => {
    expect(excerpt("api_key: hunter2")).toBe("api_key: [hidden]");
    expect(excerpt("auth: { kind: key, key: hunter2, more: x }")).toBe("auth: { kind: key, key: [hidden]");
  });

  it("shows a value that is nothing but a reference", () => {
    expect(excerpt("api_key: ${KEY}")).toBe("api_key: ${KEY}");
    expect(excerpt("api_key: x${KEY}")).toBe("api_key: [hidden]");
  });

  it("hides every line of a value that runs over several", () => {
    const text = "key: |\n  BEGIN\n  hunter2\nport: 1\n";
    expect(excerpt(text, 3)).toBe("[hidden]");
    expect(excerpt(text, 4)).toBe("port: 1");
  });

  it("hides a value also where it stands under an anchor for a field that may be shown", () => {
    expect(excerpt("api_key: &k hunter2\nname: *k\n")).toBe("api_key: &k [hidden]");
  });

  it("hides a key that is too long to be a name", () => {
    expect(excerpt(`name: a\n${"k".repeat(60)}: 1\n`, 2)).toBe("[hidden]");
  });

  it("shows nothing but the key of a line in a file that is no YAML", () => {
    expect(excerpt('api_key: "hunter2\nport: 1\n')).toBe("api_key: [hidden]");
    expect(excerpt('a: "b\n  hunter2\n', 2)).toBe("[hidden]");
    expect(excerpt("hunter2: x: y\n")).toBe("[hidden]");
  });

  it("cuts long lines", () => {
    expect(excerpt(`name: ${"x".repeat(500)}`)?.length).toBeLessThan(200);
  });

  it("is nothing for a line that does not exist", () => {
    expect(excerpt("port: 1", 7)).toBeNull();
  });
});
