import { z } from "zod";

import { filePath } from "../fields/file-path.ts";
import { cidr, proxyUrl } from "../fields/network.ts";

const proxy = z
  .strictObject({
    https_proxy: proxyUrl().optional().describe("Forward proxy for `https://` upstreams; may carry user and password."),
    http_proxy: proxyUrl().optional().describe("Forward proxy for `http://` upstreams; may carry user and password."),
    no_proxy: z
      .array(z.string().min(1))
      .default([])
      .describe("Hosts reached without proxy: names, `.suffixes`, addresses, CIDR ranges, or `*` for all."),
    from_environment: z
      .boolean()
      .default(true)
      .describe("Take what is not set here from `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` (also in lower case)."),
  })
  .prefault({})
  .describe("Forward proxy for upstream traffic (proxy mode); absent and not in the environment: direct mode.");

/** The way out. */
export const network = z
  .strictObject({
    proxy,
    tls: z
      .strictObject({
        ca: filePath()
          .optional()
          .describe("PEM file with authorities to trust beside the system's, for upstreams and proxies."),
      })
      .prefault({})
      .describe("TLS towards upstreams and proxies."),
    allow_private_upstreams: z
      .array(cidr())
      .default([])
      .describe(
        "Addresses or CIDR ranges outside the public internet (private, loopback, link-local, metadata) that upstreams may have. All others of that kind are refused.",
      ),
  })
  .prefault({})
  .describe(
    "The way out to the upstreams. Direct, through a proxy, through another gateway (`upstreams[].base_url`) or mixed (`upstreams[].proxy`) are settings of this one thing.",
  );
