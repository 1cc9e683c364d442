import { z } from "zod";

import { bindHost } from "../fields/network.ts";
import { port } from "../fields/number.ts";

/** Where operators connect. */
export const adminListen = z
  .strictObject({
    host: bindHost()
      .default("127.0.0.1")
      .describe("Address to listen on. Keep it on a network that only operators and the metrics scraper reach."),
    port: port().default(8081).describe("Port to listen on; 0 lets the system choose."),
  })
  .prefault({})
  .describe("The second port, for metrics and administration, apart from the clients' traffic.");
