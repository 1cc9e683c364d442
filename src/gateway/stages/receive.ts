import { isIP } from "node:net";

import { WeirError } from "../../core/weir-error.ts";
import type { Stage } from "./stage.ts";

export const receive: Stage = {
  name: "receive",
  summary: "Refuse what comes from a refused address, at an over-long URL, or while Weir drains",
  run(exchange, services) {
    const { access, maxUrlLength } = exchange.snapshot;
    if ((exchange.request.url ?? "").length > maxUrlLength) {
      throw new WeirError("weir:request:url_too_long", `The URL is longer than ${maxUrlLength} characters.`);
    }
    if (!access.deny.empty || !access.allow.empty) {
      const address = exchange.clientAddress;
      const allowed = access.allow.empty || access.allow.includes(address);
      // What is no address (a trusted proxy may pass on anything) is on no list, and may be anybody's.
      const denied = !access.deny.empty && (isIP(address) === 0 || access.deny.includes(address));
      if (!allowed || denied) {
        throw new WeirError("weir:access:address", "This address may not use Weir.");
      }
    }
    if (services.health.draining) {
      throw new WeirError("weir:server:draining", "Weir is shutting down; send the request again.", {
        retryAfterSeconds: 1,
      });
    }
  },
};
