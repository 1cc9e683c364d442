import type { Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import { identify } from "../stages/identify.ts";
import { receive } from "../stages/receive.ts";

/** Hands an exchange to the control API: admitted by address, and identified where the endpoint is not open. */
export async function serveControl(exchange: Exchange, services: GatewayServices): Promise<void> {
  const { request, response, id, clientAddress, upstreamPath } = exchange;
  await receive.run(exchange, services);
  if (exchange.endpoint.open !== true) await identify.run(exchange, services);
  const { identity } = exchange;
  await services.control.serve({ request, response, requestId: id, clientAddress, path: upstreamPath, identity });
}
