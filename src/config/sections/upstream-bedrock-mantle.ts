import { z } from "zod";

import { cloudRegion } from "../fields/cloud-name.ts";
import { bedrockAuth } from "./auth-bedrock.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields, derivedBaseUrl } from "./upstream-connection.ts";
import { placeFields, trafficFields } from "./upstream-traffic.ts";

/** Amazon Bedrock's endpoint for the Anthropic API. */
export const bedrockMantleUpstream = z.strictObject({
  provider: z
    .literal("bedrockMantle")
    .describe("Amazon Bedrock's Mantle endpoint, which speaks the Anthropic API instead of InvokeModel."),
  name: upstreamName("bedrockMantle"),
  region: cloudRegion("us-east-1").describe("AWS region whose `bedrock-mantle` endpoint is called and signed for."),
  auth: bedrockAuth
    .prefault({})
    .describe(
      "The credential, as for `provider: bedrock`; AWS credentials sign for the service `bedrock-mantle`. Empty: AWS's default chain.",
    ),
  base_url: derivedBaseUrl(
    "`https://bedrock-mantle.<region>.api.aws/anthropic`",
    "Set it for a private endpoint; `/anthropic` is added where it has no path.",
  ),
  ...placeFields("aws"),
  ...trafficFields,
  ...connectionFields,
});
