import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { arbitraryDesktop, arbitrarySettings } from "./testing/arbitrary-policies.ts";
import { mergeDesktop, mergeSettings, united } from "./merge-settings.ts";
import { isMap, valueAt } from "./settings-document.ts";

/** Deny-like lists, which no policy may shorten. */
const RESTRICTIONS = [
  ["permissions", "deny"],
  ["permissions", "ask"],
  ["disabledMcpjsonServers"],
  ["deniedMcpServers"],
  ["hooks", "PostToolUse"],
  ["hooks", "PreToolUse"],
  ["hooks", "Stop"],
];

function listAt(document: unknown, path: readonly string[]): unknown[] {
  const list = valueAt(document, path);
  return Array.isArray(list) ? list : [];
}

describe("mergeSettings", () => {
  it("replaces lists of what is allowed", () => {
    const base = { availableModels: ["opus", "sonnet"], permissions: { allow: ["Read", "Bash"] } };
    expect(mergeSettings(base, { availableModels: ["haiku"], permissions: { allow: ["Read"] } })).toEqual({
      availableModels: ["haiku"],
      permissions: { allow: ["Read"] },
    });
    expect(mergeSettings(base, { availableModels: [] })).toMatchObject({ availableModels: [] });
  });

  it("unites what is denied, the base's first and each once", () => {
    const merged = mergeSettings(
      { permissions: { deny: ["Bash", "WebFetch"] }, deniedMcpServers: [{ serverName: "x" }] },
      { permissions: { deny: ["Edit", "Bash"] }, deniedMcpServers: [{ serverName: "y" }, { serverName: "x" }] },
    );
    expect(merged).toEqual({
      permissions: { deny: ["Bash", "WebFetch", "Edit"] },
      deniedMcpServers: [{ serverName: "x" }, { serverName: "y" }],
    });
  });

  it("takes environment and overrides entry by entry, and every other map whole", () => {
    const merged = mergeSettings(
      { env: { A: "1", B: "1" }, sandbox: { enabled: true, network: { allowedDomains: ["a"] } } },
      { env: { B: "2", C: "2" }, sandbox: { network: {} } },
    );
    expect(merged).toEqual({ env: { A: "1", B: "2", C: "2" }, sandbox: { network: {} } });
  });

  it("leaves both documents as they are", () => {
    fc.assert(
      fc.property(arbitrarySettings, arbitrarySettings, (base, policy) => {
        const before = structuredClone([base, policy]);
        mergeSettings(base, policy);
        expect([base, policy]).toEqual(before);
      }),
    );
  });

  it("never drops a restriction or a hook of either side, and invents none", () => {
    fc.assert(
      fc.property(arbitrarySettings, arbitrarySettings, (base, policy) => {
        const merged = mergeSettings(base, policy);
        for (const path of RESTRICTIONS) {
          const both = [...listAt(base, path), ...listAt(policy, path)];
          expect(listAt(merged, path)).toEqual(united(both));
        }
      }),
    );
  });

  it("keeps every value of the policy that is no united list", () => {
    fc.assert(
      fc.property(arbitrarySettings, arbitrarySettings, (base, policy) => {
        const merged = mergeSettings(base, policy);
        for (const [key, value] of Object.entries(policy)) {
          if (["permissions", "hooks", "disabledMcpjsonServers", "deniedMcpServers"].includes(key)) continue;
          if (["env", "modelOverrides", "skillOverrides"].includes(key))
            expect(merged[key]).toMatchObject(Object(value));
          else expect(merged[key]).toEqual(value);
        }
      }),
    );
  });

  it("changes nothing when the policy says nothing or is merged a second time", () => {
    fc.assert(
      fc.property(arbitrarySettings, arbitrarySettings, (base, policy) => {
        const merged = mergeSettings(base, policy);
        expect(mergeSettings(merged, {})).toEqual(merged);
        expect(mergeSettings(merged, policy)).toEqual(merged);
      }),
    );
  });

  it("takes a key named like a part of every object for a key like others", () => {
    const hostile: unknown = JSON.parse('{"__proto__":{"polluted":true},"constructor":1,"env":{"__proto__":"x"}}');
    if (!isMap(hostile)) throw new Error("it is a map");
    const merged = mergeSettings(hostile, { env: { A: "1" } });
    expect(Object.keys(merged)).toEqual(["__proto__", "constructor", "env"]);
    expect(Reflect.get({}, "polluted")).toBeUndefined();
  });
});

describe("mergeDesktop", () => {
  it("keeps every restriction of the base", () => {
    const base = {
      disabledBuiltinTools: ["A"],
      builtinToolPolicy: { Bash: "ask", Read: "allow" },
      banner: { text: "base" },
    };
    const policy = { disabledBuiltinTools: ["B"], builtinToolPolicy: { Bash: "allow", Read: "ask" } };
    expect(mergeDesktop(base, policy)).toEqual({
      disabledBuiltinTools: ["A", "B"],
      builtinToolPolicy: { Bash: "ask", Read: "ask" },
      banner: { text: "base" },
    });
  });

  it("takes every other key whole", () => {
    const base = { banner: { text: "base", backgroundColor: "#ff0000" }, coworkEgressAllowedHosts: ["a"] };
    expect(mergeDesktop(base, { banner: { text: "own" }, coworkEgressAllowedHosts: ["b"] })).toEqual({
      banner: { text: "own" },
      coworkEgressAllowedHosts: ["b"],
    });
  });

  it("never enables what the base disables", () => {
    fc.assert(
      fc.property(arbitraryDesktop, arbitraryDesktop, (base, policy) => {
        const merged = mergeDesktop(base, policy);
        expect(listAt(merged, ["disabledBuiltinTools"])).toEqual(
          expect.arrayContaining(listAt(base, ["disabledBuiltinTools"])),
        );
        const rules = base["builtinToolPolicy"];
        for (const [tool, rule] of Object.entries(isMap(rules) ? rules : {})) {
          if (rule !== "allow") expect(valueAt(merged, ["builtinToolPolicy", tool])).toBe(rule);
        }
      }),
    );
  });
});
