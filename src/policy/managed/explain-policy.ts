import { isDeepStrictEqual } from "node:util";

import { clientSettings, type EffectivePolicy, type PolicyConfig, type TelemetryEnv } from "./managed-policies.ts";
import { isUnited } from "./merge-settings.ts";
import { isMap, type SettingsDocument, valueAt } from "./settings-document.ts";

/** One value of the merged settings and where it comes from. */
export interface ExplainedLeaf {
  /** Keys from the top of the document; the items of a united list have the list's path, one each. */
  readonly path: readonly string[];
  readonly value: unknown;
  /** Who says so, such as `managed.policies[2]`; several where lists are united. */
  readonly setBy: readonly string[];
  /** Who says otherwise and is not heard. */
  readonly insteadOf: readonly { readonly source: string; readonly value: unknown }[];
}

/** Why the callers of a policy get what they get. */
export interface ExplainedPolicy {
  readonly policy: string;
  readonly base: string | null;
  readonly leaves: readonly ExplainedLeaf[];
  readonly desktop: readonly ExplainedLeaf[] | null;
}

interface Source {
  readonly name: string;
  readonly document: SettingsDocument;
}

/** Says of every merged value which policy set it. */
export function explainPolicy(
  effective: EffectivePolicy,
  policies: readonly PolicyConfig[],
  telemetryEnv: TelemetryEnv,
): ExplainedPolicy {
  const { index, baseIndex, settings, desktop } = effective;
  const layers = [baseIndex, index].flatMap((at) => (at === null ? [] : [{ name: nameOf(at), policy: policies[at] }]));
  const client: Source[] = layers.map(({ name, policy }) => ({ name, document: clientSettings(policy ?? {}) }));
  const telemetry: Source = { name: "telemetry.forward_to", document: { env: telemetryEnv } };
  const forDesktop = layers.map(({ name, policy }) => ({ name, document: policy?.desktop ?? {} }));
  return {
    policy: nameOf(index),
    base: baseIndex === null ? null : nameOf(baseIndex),
    leaves: leavesOf(settings, [], isUnited).map((leaf) => explained(leaf, [telemetry, ...client], isUnited)),
    desktop:
      desktop === null
        ? null
        : leavesOf(desktop, [], isUnitedDesktop).map((leaf) => explained(leaf, forDesktop, isUnitedDesktop)),
  };
}

function nameOf(index: number): string {
  return `managed.policies[${index}]`;
}

function isUnitedDesktop(path: readonly string[]): boolean {
  return path.length === 1 && path[0] === "disabledBuiltinTools";
}

type Leaf = Pick<ExplainedLeaf, "path" | "value">;
type UnitedTest = (path: readonly string[]) => boolean;

function leavesOf(value: unknown, path: readonly string[], united: UnitedTest): Leaf[] {
  if (isMap(value) && Object.keys(value).length > 0) {
    return Object.entries(value).flatMap(([key, member]) => leavesOf(member, [...path, key], united));
  }
  if (Array.isArray(value) && united(path) && value.length > 0) return value.map((item) => ({ path, value: item }));
  return [{ path, value }];
}

/** `sources` from the lowest to the one that counts most. */
function explained({ path, value }: Leaf, sources: readonly Source[], united: UnitedTest): ExplainedLeaf {
  const said = sources
    .map(({ name, document }) => ({ source: name, value: valueAt(document, path) }))
    .filter((one) => one.value !== undefined);
  if (united(path)) {
    const setBy = said.filter((one) => saysItem(one.value, value)).map(({ source }) => source);
    return { path, value, setBy, insteadOf: [] };
  }
  const winner = said.findLast((one) => isDeepStrictEqual(one.value, value));
  const insteadOf = said.filter((one) => one !== winner && !isDeepStrictEqual(one.value, value));
  return { path, value, setBy: winner === undefined ? [] : [winner.source], insteadOf };
}

function saysItem(list: unknown, item: unknown): boolean {
  return isDeepStrictEqual(list, item) || (Array.isArray(list) && list.some((own) => isDeepStrictEqual(own, item)));
}
