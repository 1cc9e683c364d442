import { z } from "zod";

import { anthropicUpstream } from "./upstream-anthropic.ts";
import { sandboxUpstream } from "./upstream-sandbox.ts";

/** Where inference goes. */
export const upstreams = z
  .array(z.discriminatedUnion("provider", [anthropicUpstream, sandboxUpstream]))
  .min(1)
  .optional()
  .describe(
    "Where inference goes, in the order in which upstreams are tried. Absent: the Anthropic API when the environment has `ANTHROPIC_API_KEY`, otherwise one sandbox.",
  );
