import type { Config } from "./schema.ts";

/** The clouds that upstreams say they are in, each once, in the order of the list. */
export function cloudsOf({ upstreams }: Pick<Config, "upstreams">): string[] {
  return [...new Set(upstreams.flatMap(({ cloud }) => cloud ?? []))];
}

/** Zones of regions whose names do not tell them: those of `routing.geography.zones`, and those that upstreams name. */
export function zonesOf({ upstreams, routing }: Pick<Config, "upstreams" | "routing">): Record<string, string> {
  const named = upstreams.flatMap(({ region, zone }) =>
    region === undefined || zone === undefined ? [] : [[region, zone] as const],
  );
  return { ...Object.fromEntries(named), ...routing.geography.zones };
}

/** The clouds that the deployment strategy has in use; null when clouds make no difference. */
export function cloudsInUse({ routing: { deployment } }: Pick<Config, "routing">): readonly string[] | null {
  if (deployment === undefined) return null;
  switch (deployment.kind) {
    case "single":
      return [deployment.cloud];
    case "active_passive":
      return [deployment.primary, deployment.backup];
    case "active_active":
    default:
      return Object.keys(deployment.shares);
  }
}
