import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { azureResource } from "../fields/cloud-name.ts";
import { azureAuth } from "./auth-azure.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields, derivedBaseUrl } from "./upstream-connection.ts";
import { placeFields, regionLabel, trafficFields } from "./upstream-traffic.ts";

const members = z.strictObject({
  provider: z.literal("foundry").describe("Microsoft Foundry, which serves the Anthropic API by deployment names."),
  name: upstreamName("foundry"),
  resource: azureResource().optional().describe("Name of the Foundry resource, from which the address follows."),
  auth: azureAuth.describe("The credential: an API key, or Entra ID."),
  base_url: derivedBaseUrl(
    "`https://<resource>.services.ai.azure.com/anthropic`",
    "Set it for a sovereign cloud or a private endpoint; `/anthropic` is added where it has no path.",
  ),
  region: regionLabel,
  ...placeFields("azure"),
  ...trafficFields,
  ...connectionFields,
});

/** Microsoft Foundry. */
export const foundryUpstream = checkedMembers(members, (value) => {
  if (value.resource !== undefined || value.base_url !== undefined) return [];
  return [
    {
      code: "missing",
      path: ["resource"],
      message: "is missing: without it and without base_url there is no address to call",
      fix: "Set resource to the name of the Foundry resource, or base_url to its whole address.",
    },
  ];
});
