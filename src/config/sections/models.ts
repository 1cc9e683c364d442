import { z } from "zod";

import { checked } from "../fields/checked.ts";

const modelId = z.string().min(1).max(256);

/** A model's id at an upstream: also the ARN of a Bedrock inference profile, which may be long. */
const upstreamModelId = checked(z.string().min(1).max(2048), (value) => {
  if (/^[\x21-\x7e]+$/.test(value)) return null;
  return {
    message: "must be printable and without spaces",
    fix: "Copy the model's id, ARN or deployment name as the provider shows it.",
  };
});

const model = z.strictObject({
  id: modelId.describe("Model id that clients ask for."),
  label: z.string().min(1).max(256).optional().describe("Name shown in clients' model pickers; the id unless set."),
  description: z.string().max(1024).optional().describe("Text for clients that show one."),
  upstream_model: z
    .record(z.string(), upstreamModelId)
    .default({})
    .describe(
      "For each upstream, by its name, the id that it knows the model by: a model id, the ARN of a Bedrock inference profile or provisioned model, a Foundry or Azure deployment name. A model that is not built in is tried only on the upstreams named here; a built-in one is tried on all, elsewhere under the provider's usual id.",
    ),
});

/** The curated model list. */
export const models = z
  .array(model)
  .default([])
  .describe("Models served beside or instead of the built-in ones, listed at `/v1/models`.");

export const autoIncludeBuiltinModels = z
  .boolean()
  .default(true)
  .describe("Whether built-in Claude models are served too; false serves only `models`.");
