import { CLOUD_FEATURES } from "../cloud/feature-support.ts";
import type { FeatureTable } from "../features.ts";

/** What a Messages request may ask of Bedrock, for the conformance matrix. */
export const BEDROCK_FEATURES: FeatureTable = {
  ...CLOUD_FEATURES,
  count_tokens: {
    support: "yes",
    why: "CountTokens, for the models that it knows, by their foundation model's id",
  },
  inference_geo: {
    support: "refused",
    why: "unless the inference profile's geography is the one asked for; global is taken",
  },
};
