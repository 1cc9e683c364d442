import { z } from "zod";

/** The operational log. */
export const log = z
  .strictObject({
    level: z.enum(["debug", "info", "warn", "error"]).default("info").describe("Least severe level that is written."),
    format: z.enum(["json", "pretty"]).default("json").describe("`json` for collectors, `pretty` for a terminal."),
  })
  .prefault({})
  .describe("The operational log. Bodies and secrets are never in it.");
