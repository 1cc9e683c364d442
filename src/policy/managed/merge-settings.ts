import { isDeepStrictEqual } from "node:util";

import { isMap, type SettingsDocument } from "./settings-document.ts";

/** Lists of which base and policy both count, so that no policy can drop what holds for everybody. */
const UNITED: readonly string[] = ["disabledMcpjsonServers", "deniedMcpServers", "blockedMarketplaces"];
const UNITED_PERMISSIONS: readonly string[] = ["deny", "ask"];
/** Maps of which the policy overrides single entries. */
const RECORDS: readonly string[] = ["env", "modelOverrides", "skillOverrides"];

/**
 * A policy's Claude Code settings on top of those for everybody, by the rules of Anthropic's gateway: deny lists and hooks are
 * united, `env` and the two override maps and `permissions` are taken entry by entry, everything else is the policy's whole.
 */
export function mergeSettings(base: SettingsDocument, policy: SettingsDocument): SettingsDocument {
  const keys = new Set([...Object.keys(base), ...Object.keys(policy)]);
  return Object.fromEntries([...keys].map((key) => [key, mergedKey(key, own(base, key), own(policy, key))]));
}

/**
 * A policy's Claude Desktop settings on top of those for everybody: tools that the base disables stay disabled, and a tool that
 * the base does not simply allow keeps the base's rule; every other key is the policy's whole.
 */
export function mergeDesktop(base: SettingsDocument, policy: SettingsDocument): SettingsDocument {
  const merged = { ...base, ...policy };
  const restrictions: [string, unknown][] = [];
  const disabled = [own(base, "disabledBuiltinTools"), own(policy, "disabledBuiltinTools")];
  if (disabled.every(Array.isArray)) restrictions.push(["disabledBuiltinTools", united(disabled.flat())]);
  const baseRules = own(base, "builtinToolPolicy");
  const policyRules = own(policy, "builtinToolPolicy");
  if (isMap(baseRules) && isMap(policyRules)) {
    const kept = Object.entries(baseRules).filter(([, rule]) => rule !== "allow");
    restrictions.push(["builtinToolPolicy", { ...baseRules, ...policyRules, ...Object.fromEntries(kept) }]);
  }
  return { ...merged, ...Object.fromEntries(restrictions) };
}

/** Whether a list counts as the union of what all policies say: its path in a settings document. */
export function isUnited(path: readonly string[]): boolean {
  const [first, second] = path;
  if (path.length === 1) return UNITED.includes(first ?? "");
  if (path.length !== 2) return false;
  return first === "hooks" || (first === "permissions" && UNITED_PERMISSIONS.includes(second ?? ""));
}

/** The items in order, each once; items are equal when they read the same. */
export function united(items: readonly unknown[]): unknown[] {
  const kept: unknown[] = [];
  const texts = new Set<string>();
  for (const item of items) {
    if (typeof item === "string") {
      if (texts.has(item)) continue;
      texts.add(item);
    } else if (kept.some((other) => isDeepStrictEqual(other, item))) continue;
    kept.push(item);
  }
  return kept;
}

function mergedKey(key: string, base: unknown, policy: unknown): unknown {
  if (isUnited([key])) return union(base, policy);
  if (key === "permissions") return mergedMaps(base, policy, UNITED_PERMISSIONS);
  if (key === "hooks") return mergedMaps(base, policy, null);
  if (RECORDS.includes(key) && isMap(base) && isMap(policy)) return { ...base, ...policy };
  return policy === undefined ? base : policy;
}

/** Entry by entry; the lists named (all of them where `null`) are united, of the rest the policy's counts. */
function mergedMaps(base: unknown, policy: unknown, unitedKeys: readonly string[] | null): unknown {
  if (!isMap(policy ?? {}) || !isMap(base ?? {})) return policy === undefined ? base : policy;
  const [below, above] = [isMap(base) ? base : {}, isMap(policy) ? policy : {}];
  const keys = new Set([...Object.keys(below), ...Object.keys(above)]);
  return Object.fromEntries(
    [...keys].map((key) => {
      const [lower, upper] = [own(below, key), own(above, key)];
      if (unitedKeys === null || unitedKeys.includes(key)) return [key, union(lower, upper)];
      return [key, upper === undefined ? lower : upper];
    }),
  );
}

function union(base: unknown, policy: unknown): unknown {
  const lists = [base, policy].filter((list) => list !== undefined);
  return lists.every(Array.isArray) ? united(lists.flat(1)) : (policy ?? base);
}

function own(document: SettingsDocument, key: string): unknown {
  return Object.hasOwn(document, key) ? document[key] : undefined;
}
