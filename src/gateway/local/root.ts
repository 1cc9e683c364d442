import type { ErrorRecipient } from "../http/error-response.ts";
import { sendJson } from "../http/json-response.ts";

/** `/`: what this is and where to go, for a person or a probe that knows only the address. */
export function serveRoot(exchange: ErrorRecipient): void {
  sendJson(exchange, 200, {
    service: "weir",
    what: "gateway for Claude",
    claude_code: "export ANTHROPIC_BASE_URL=<this address> ANTHROPIC_AUTH_TOKEN=<your Weir key>",
    models: "/v1/models",
    health: "/health",
  });
}
