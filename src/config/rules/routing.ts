import { canonicalModel, matchesModel } from "../../message/models.ts";
import { didYouMean } from "../did-you-mean.ts";
import type { Finding } from "../finding.ts";
import { quoted } from "../quoted.ts";
import type { Config } from "../schema.ts";
import type { Path } from "../source/path.ts";
import { cloudsInUse, cloudsOf } from "../upstream-place.ts";
import { refusal, type Rule, warning } from "./rule.ts";
import { unknownUpstream } from "./upstreams.ts";

/** A deployment strategy speaks of clouds; one that no upstream is in would never serve. */
export const deploymentNamesKnownClouds: Rule = ({ config }) => {
  const known = cloudsOf(config);
  return namedClouds(config).flatMap(({ cloud, path }): Finding[] => {
    if (known.includes(cloud)) return [];
    const [near] = didYouMean(cloud, known);
    const listed = known.length === 0 ? "No upstream names one yet" : `Those that upstreams name: ${known.join(", ")}`;
    return [
      {
        ...refusal("unknown_cloud", path, {
          message: `no upstream is in a cloud named ${quoted(cloud)}`,
          fix: near === undefined ? `${listed}. Set upstreams[].cloud, or name another.` : `Did you mean ${near}?`,
        }),
        because: [["upstreams"]],
        atKey: config.routing.deployment?.kind === "active_active",
      },
    ];
  });
};

/** What is left out of the deployment gets nothing, which should not be a surprise. */
export const deploymentUsesEveryUpstream: Rule = ({ config }) => {
  const used = cloudsInUse(config);
  if (used === null) return [];
  return config.upstreams.flatMap(({ name, cloud }, i): Finding[] => {
    if (cloud !== undefined && used.includes(cloud)) return [];
    return [
      warning("upstream_outside_deployment", ["upstreams", i], {
        message: `${name} is in ${cloud === undefined ? "no named cloud" : cloud}, which routing.deployment does not use: it gets no requests`,
        fix: `Set its cloud to one of ${used.join(", ")}, or add its cloud to the deployment, or remove it.`,
      }),
    ];
  });
};

/** Strategies that weigh need something to weigh. */
export const weightsAddUp: Rule = ({ config: { upstreams, routing } }) => {
  const strategies = [routing.strategy, ...routing.overrides.map(({ strategy }) => strategy)];
  const weighs = strategies.some((strategy) => strategy === "weighted_random" || strategy === "round_robin");
  if (!weighs || upstreams.some(({ weight }) => weight > 0)) return [];
  return [
    refusal("no_weight", ["upstreams", 0, "weight"], {
      message: "every upstream has weight 0, so a strategy that goes by weight has nothing to share out",
      fix: "Give at least one upstream a weight above 0.",
    }),
  ];
};

/** Rules for models or upstreams that do not exist would silently do nothing. */
export const overridesNameWhatExists: Rule = ({ config }) =>
  config.routing.overrides.flatMap(({ models, upstreams }, i) => [
    ...(upstreams ?? []).flatMap((name, at): Finding[] => {
      const unknown = unknownUpstream(config, name);
      if (unknown === null) return [];
      return [refusal("unknown_upstream", ["routing", "overrides", i, "upstreams", at], unknown)];
    }),
    ...models.flatMap((pattern, at) => shadowed(config, { pattern, i, at })),
  ]);

/** The first entry counts, so a pattern that an earlier entry covers is never asked. */
function shadowed(config: Config, { pattern, i, at }: { pattern: string; i: number; at: number }): Finding[] {
  const before = config.routing.overrides
    .slice(0, i)
    .findIndex(({ models }) => models.some((earlier) => matchesModel(earlier, pattern)));
  const path: Path = ["routing", "overrides", i, "models", at];
  if (before >= 0) {
    return [
      refusal("duplicate", path, {
        message: `routing.overrides[${before}] already covers this, and the first entry that names a model counts`,
        fix: "Move this entry before it, or remove one of the two.",
      }),
    ];
  }
  if (pattern.includes("*") || canonicalModel(pattern) !== null) return [];
  if (config.models.some(({ id }) => id.toLowerCase() === pattern.toLowerCase())) return [];
  return [
    warning("unknown_model", path, {
      message: `no model is named ${quoted(pattern)}, so the entry does nothing for it`,
      fix: "Name a model of models, a built-in one, or a pattern such as claude-haiku-*.",
    }),
  ];
}

/** Geographic routing needs to know where callers are and where upstreams are. */
export const geographyIsKnown: Rule = ({ config: { upstreams, routing } }) => {
  const uses = [routing.strategy, ...routing.overrides.map(({ strategy }) => strategy)].includes("geographic");
  const distributes = routing.deployment?.kind === "active_active" && routing.deployment.distribution === "geographic";
  if (!uses && !distributes) return [];
  const findings: Finding[] = upstreams.flatMap(({ name, region }, i) => {
    if (region !== undefined) return [];
    return [
      warning("upstream_without_region", ["upstreams", i], {
        message: `${name} has no region, so geographic routing takes it for far from everywhere`,
        fix: "Set its region, in its cloud's spelling.",
      }),
    ];
  });
  if (routing.geography.region !== undefined) return findings;
  const text = {
    message: "geographic routing does not know where callers are",
    fix: "Set routing.geography.region to the region that this Weir serves.",
  };
  return [warning("no_caller_region", ["routing", "geography", "region"], text), ...findings];
};

/** One region, one zone. */
export const zonesAgree: Rule = ({ config: { upstreams, routing } }) =>
  upstreams.flatMap(({ region, zone }, i): Finding[] => {
    if (region === undefined || zone === undefined) return [];
    const listed = routing.geography.zones[region];
    const other = upstreams.slice(0, i).find((earlier) => earlier.region === region && earlier.zone !== undefined);
    const against = listed ?? other?.zone ?? zone;
    if (against === zone) return [];
    const where = listed === undefined ? `upstream ${other?.name}` : "routing.geography.zones";
    return [
      refusal("zone_conflict", ["upstreams", i, "zone"], {
        message: `${where} says that ${region} is in ${against}`,
        fix: "Say the same in both places, or in one alone.",
      }),
    ];
  });

function namedClouds({ routing: { deployment } }: Config): { cloud: string; path: Path }[] {
  const at = (cloud: string, ...path: Path) => ({ cloud, path: ["routing", "deployment", ...path] });
  if (deployment === undefined) return [];
  switch (deployment.kind) {
    case "single":
      return [at(deployment.cloud, "cloud")];
    case "active_passive":
      return [at(deployment.primary, "primary"), at(deployment.backup, "backup")];
    case "active_active":
    default:
      return Object.keys(deployment.shares).map((cloud) => at(cloud, "shares", cloud));
  }
}
