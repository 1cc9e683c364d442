import type { Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";

/** One step on the way of an exchange. Returns nothing when it was done at once; throws WeirError to refuse. */
export interface Stage {
  readonly name: string;
  readonly summary: string;
  run(exchange: Exchange, services: GatewayServices): void | Promise<void>;
}
