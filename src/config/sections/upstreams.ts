import { z } from "zod";

import { anthropicAwsUpstream } from "./upstream-anthropic-aws.ts";
import { anthropicUpstream } from "./upstream-anthropic.ts";
import { azureOpenAiUpstream } from "./upstream-azure-openai.ts";
import { bedrockMantleUpstream } from "./upstream-bedrock-mantle.ts";
import { bedrockUpstream } from "./upstream-bedrock.ts";
import { customUpstream } from "./upstream-custom.ts";
import { foundryUpstream } from "./upstream-foundry.ts";
import { openAiUpstream } from "./upstream-openai.ts";
import { sandboxUpstream } from "./upstream-sandbox.ts";
import { vertexUpstream } from "./upstream-vertex.ts";

/** Every kind of upstream. */
const upstream = z.discriminatedUnion("provider", [
  anthropicUpstream,
  bedrockUpstream,
  bedrockMantleUpstream,
  anthropicAwsUpstream,
  vertexUpstream,
  foundryUpstream,
  azureOpenAiUpstream,
  openAiUpstream,
  customUpstream,
  sandboxUpstream,
]);

/** Where inference goes. */
export const upstreams = z
  .array(upstream)
  .min(1)
  .optional()
  .describe(
    "Where inference goes, in the order in which upstreams are tried (see `routing`). Several of one kind need a `name` each. Absent: the Anthropic API when the environment has `ANTHROPIC_API_KEY`, otherwise one sandbox.",
  );
