import { z } from "zod";

import { checked } from "../fields/checked.ts";
import { cloudRegion } from "../fields/cloud-name.ts";
import { bedrockAuth } from "./auth-bedrock.ts";
import { bedrockGuardrail } from "./guardrail.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields, derivedBaseUrl } from "./upstream-connection.ts";
import { placeFields, trafficFields } from "./upstream-traffic.ts";

/** The prefixes of inference profiles that AWS has. */
const PROFILE_PREFIXES = ["auto", "global", "us", "us-gov", "eu", "apac", "jp", "au", "ca", "none"] as const;

/** Amazon Bedrock. */
export const bedrockUpstream = z.strictObject({
  provider: z.literal("bedrock").describe("Amazon Bedrock, by InvokeModel and InvokeModelWithResponseStream."),
  name: upstreamName("bedrock"),
  region: checked(cloudRegion("us-east-1"), (value) => {
    if (/^[a-z]{2,}(?:-[a-z]+)+-\d+$/.test(value)) return null;
    return {
      message: "must be a region of AWS",
      fix: "Write for example us-east-1; a zone such as us-east-1a belongs in zone.",
    };
  }).describe(
    "AWS region whose `bedrock-runtime` endpoint is called and signed for. A cross-region inference profile may still run the model elsewhere in its geography.",
  ),
  auth: bedrockAuth
    .prefault({})
    .describe(
      "The credential. Empty: AWS's default chain (environment, `~/.aws`, IRSA or web identity, ECS task role, EC2 instance role), renewed by itself.",
    ),
  base_url: derivedBaseUrl(
    "`https://bedrock-runtime.<region>.amazonaws.com`",
    "Set it for a FIPS or VPC endpoint; requests are still signed for `region`.",
  ),
  inference_profiles: z
    .enum(PROFILE_PREFIXES)
    .default("auto")
    .describe(
      "Which inference profiles built-in models are called by: `eu` makes `eu.anthropic.claude-…`, `none` the bare model id. `auto` takes the geography of `region`, or `global` where AWS has no profile of it for the model; name a geography to keep data in it: models without a profile there are then not tried. `global` may run anywhere. An id in `models[].upstream_model` is used as it is.",
    ),
  guardrail: bedrockGuardrail,
  ...placeFields("aws"),
  ...trafficFields,
  ...connectionFields,
});
