import { canonicalModel } from "../../message/models.ts";
import type { RouteTable } from "../../routing/route-table.ts";
import type { Snapshot } from "../snapshot.ts";
import type { PricedModel } from "./batch-tally.ts";

/**
 * Names and prices the models that an upstream's results speak of. A result tells the upstream's own id: it is taken for the
 * model of that name where one is served so, else for the configured model that is mapped to it, else priced by the book.
 */
export function modelPricer(snapshot: Snapshot, upstream: string): (upstreamModel: string) => PricedModel {
  const known = new Map<string, PricedModel>();
  return (upstreamModel) => {
    let priced = known.get(upstreamModel);
    if (priced === undefined) {
      priced = routed(snapshot.routes, upstream, upstreamModel) ?? byTheBook(snapshot, upstream, upstreamModel);
      known.set(upstreamModel, priced);
    }
    return priced;
  };
}

function routed(routes: RouteTable, upstream: string, upstreamModel: string): PricedModel | null {
  for (const name of [upstreamModel, ...routes.listed.map(({ id }) => id)]) {
    const route = routes.resolve(name);
    const target = route?.targets.find((one) => one.upstream.name === upstream && one.upstreamModel === upstreamModel);
    if (route !== null && target !== undefined) return { model: route.model, price: target.price };
  }
  return null;
}

function byTheBook({ prices }: Snapshot, upstream: string, upstreamModel: string): PricedModel {
  const price = prices.resolve({ upstream, upstreamModel, modelAsked: upstreamModel, modelConfigured: null });
  return { model: canonicalModel(upstreamModel) ?? upstreamModel, price };
}
