import { z } from "zod";

import { cidr } from "../fields/network.ts";

/** Which addresses may call. */
export const accessControl = z
  .strictObject({
    allow_cidrs: z
      .array(cidr())
      .default([])
      .describe("Addresses or CIDR ranges that may call. Empty: all. Health endpoints answer everyone."),
    deny_cidrs: z
      .array(cidr())
      .default([])
      .describe("Addresses or CIDR ranges that may not call; checked before `allow_cidrs`."),
  })
  .prefault({})
  .describe("Which client addresses may call, after `listen.trusted_proxies` has been applied.");
