import { required, type Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import type { GatewayServices } from "../services.ts";
import type { Stage } from "./stage.ts";

/**
 * Stands before the queue for Weir's own places: what a caller's own limits refuse is a 429 to that caller, and what waits
 * for them holds no place that others could have. Otherwise one key's flood would look like an overload of Weir (529), and
 * be one.
 */
export const limit: Stage = {
  name: "limit",
  summary:
    "The caller's own limits, before its body is read: requests a minute, and a place among its own requests; else 429",
  run(exchange, services) {
    if (exchange.endpoint.kind === "count_tokens") return undefined;
    const entered = enterRate(exchange, services);
    if (!("cancel" in entered)) {
      exchange.ticket = entered;
      return undefined;
    }
    exchange.onClientGone = () => entered.cancel(new ClientGone());
    return entered.ticket.then((ticket) => {
      exchange.onClientGone = null;
      exchange.ticket = ticket;
    });
  },
};

/** How many tokens it takes is known once its body is read; the admit stage takes them then. */
function enterRate(exchange: Exchange, { rate, clock }: GatewayServices): ReturnType<GatewayServices["rate"]["enter"]> {
  const subjects = exchange.snapshot.limits.subjects(required(exchange.identity, "identity"));
  return rate.enter({ subjects, estimatedTokens: 0, queue: exchange.snapshot.queue }, clock.monotonicMs());
}
