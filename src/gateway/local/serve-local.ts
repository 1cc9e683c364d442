import type { Exchange } from "../exchange.ts";
import { discardBody } from "../http/discard-body.ts";
import { sendJson } from "../http/json-response.ts";
import type { GatewayServices } from "../services.ts";
import { identify } from "../stages/identify.ts";
import { receive } from "../stages/receive.ts";
import { serveAlive, serveHealth, serveReady } from "./health.ts";
import { serveInferenceProfiles } from "./inference-profiles.ts";
import { serveModels } from "./models.ts";
import { serveRoot } from "./root.ts";

/** Answers what Weir answers by itself. Health is told also to addresses outside the allowlist, and while draining. */
export async function serveLocal(exchange: Exchange, rest: string, services: GatewayServices): Promise<void> {
  await discardBody(exchange.request);
  switch (exchange.endpoint.name) {
    case "root":
      serveRoot(exchange);
      return;
    case "healthz":
      serveAlive(exchange);
      return;
    case "readyz":
      serveReady(exchange, services.health);
      return;
    case "health":
    case "simple_health":
      serveHealth(exchange, services.health);
      return;
    default:
  }
  await receive.run(exchange, services);
  if (exchange.endpoint.open !== true) await identify.run(exchange, services);
  if (exchange.endpoint.name === "models") serveModels(exchange, rest);
  else if (exchange.endpoint.name === "inference_profiles") serveInferenceProfiles(exchange, rest);
  else sendJson(exchange, 200, { status: "ok" });
}
