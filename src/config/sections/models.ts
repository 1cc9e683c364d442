import { z } from "zod";

const modelId = z.string().min(1).max(256);

const model = z.strictObject({
  id: modelId.describe("Model id that clients ask for."),
  label: z.string().min(1).max(256).optional().describe("Name shown in clients' model pickers; the id unless set."),
  description: z.string().max(1024).optional().describe("Text for clients that show one."),
  upstream_model: z
    .record(z.string(), modelId)
    .default({})
    .describe(
      "For each upstream, by its name, the id that it knows the model by. A model that is not built in is tried only on the upstreams named here.",
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
