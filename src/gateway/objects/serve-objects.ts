import { WeirError } from "../../core/weir-error.ts";
import type { Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";

export async function serveObjects(_exchange: Exchange, _rest: string, _services: GatewayServices): Promise<void> {
  throw new WeirError("weir:request:not_found", "not yet");
}
