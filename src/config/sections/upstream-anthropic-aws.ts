import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { cloudRegion, opaqueId } from "../fields/cloud-name.ts";
import { secret } from "../fields/secret.ts";
import { awsAuthFields, awsAuthProblems } from "./auth-aws.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields, derivedBaseUrl } from "./upstream-connection.ts";
import { placeFields, trafficFields } from "./upstream-traffic.ts";

const auth = checkedMembers(
  z.strictObject({
    api_key: secret()
      .optional()
      .describe("API key of the platform, sent as `x-api-key`. It comes before AWS credentials where both are set."),
    ...awsAuthFields,
  }),
  awsAuthProblems,
);

/** Claude Platform on AWS: Anthropic's own API behind AWS's authentication and billing. */
export const anthropicAwsUpstream = z.strictObject({
  provider: z.literal("anthropicAws").describe("Claude Platform on AWS: the Anthropic API with AWS credentials."),
  name: upstreamName("anthropicAws"),
  region: cloudRegion("us-east-1").describe("AWS region whose endpoint is called and signed for."),
  workspace_id: opaqueId("wrkspc_01ABC").describe(
    "Workspace, sent as `anthropic-workspace-id` with every request; the platform asks for it.",
  ),
  auth: auth
    .prefault({})
    .describe(
      "The credential: an API key, or AWS credentials that sign for the service `aws-external-anthropic`. Empty: AWS's default chain. A role made for Bedrock does not authorise this.",
    ),
  base_url: derivedBaseUrl(
    "`https://aws-external-anthropic.<region>.api.aws`",
    "Set it for a private endpoint; requests are still signed for `region`.",
  ),
  ...placeFields("aws"),
  ...trafficFields,
  ...connectionFields,
});
