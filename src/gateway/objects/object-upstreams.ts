import type { RouteTable } from "../../routing/route-table.ts";
import type { Upstream } from "../../upstream/upstream.ts";

/** The upstreams that keep batches and files and serve some listed model, in the order of the configuration's preference. */
export function objectUpstreams(routes: RouteTable): readonly Upstream[] {
  const found = new Set<Upstream>();
  for (const { id } of routes.listed) {
    for (const { upstream } of routes.resolve(id)?.targets ?? []) {
      if (upstream.dialect.keepsObjects) found.add(upstream);
    }
  }
  return [...found];
}

/** The upstream that holds an object, or null when the configuration no longer has it. */
export function upstreamNamed(routes: RouteTable, name: string): Upstream | null {
  return objectUpstreams(routes).find((upstream) => upstream.name === name) ?? null;
}
