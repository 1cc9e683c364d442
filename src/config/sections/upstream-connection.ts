import { z } from "zod";

import { baseUrl, proxyUrl } from "../fields/network.ts";
import { extraHeaders, upstreamTls } from "./upstream-common.ts";

/** How an upstream is reached, whatever it is. */
export const connectionFields = {
  proxy: z
    .union([z.literal("direct"), proxyUrl()], { error: "must be the URL of a proxy, or the word direct" })
    .optional()
    .describe("Forward proxy for this upstream instead of `network.proxy`'s; `direct` uses none."),
  tls: upstreamTls.optional().describe("TLS towards this upstream, where the system's defaults do not do."),
  client: z
    .enum(["weir", "undici"], { error: "must be weir or undici" })
    .default("weir")
    .describe(
      "What speaks HTTP/1.1 to this upstream over direct connections: Weir's own client, which needs less CPU and refuses " +
        "answers that can be read in two ways, or undici's. Connections through a proxy are always undici's.",
    ),
  headers: extraHeaders,
};

/** An address that follows from other settings unless it is set. `derived` says how, as part of a sentence. */
export function derivedBaseUrl(derived: string, use: string): z.ZodOptional<z.ZodString> {
  return baseUrl().optional().describe(`Where the service is. Unless set, ${derived}. ${use}`);
}
