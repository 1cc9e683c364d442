import { z } from "zod";

import { checked, checkedMembers, type MemberProblem } from "../fields/checked.ts";
import { azureResource } from "../fields/cloud-name.ts";
import { azureAuth } from "./auth-azure.ts";
import { openAiApis } from "./openai-apis.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields, derivedBaseUrl } from "./upstream-connection.ts";
import { mappedTrafficFields, placeFields, regionLabel } from "./upstream-traffic.ts";

const apiVersion = checked(z.string(), (value) => {
  if (/^\d{4}-\d{2}-\d{2}(?:-preview)?$/.test(value) || /^(?:preview|latest)$/.test(value)) return null;
  return { message: "must be a version of the API", fix: 'Write for example "2024-10-21", in quotes.' };
});

const members = z.strictObject({
  provider: z.literal("azure-openai").describe("Azure OpenAI: OpenAI's APIs by deployment names."),
  name: upstreamName("azure-openai"),
  resource: azureResource().optional().describe("Name of the resource, from which the address follows."),
  auth: azureAuth.describe("The credential: an API key, or Entra ID."),
  base_url: derivedBaseUrl(
    "`https://<resource>.openai.azure.com`",
    "Set it for a sovereign cloud or a private endpoint; what stands before `/openai`.",
  ),
  api: z
    .enum(["v1", "deployments"])
    .default("v1")
    .describe(
      "`v1` has the deployment in the body and no versions; `deployments` has it in the path and needs `api_version`, for resources that `v1` does not reach.",
    ),
  api_version: apiVersion
    .optional()
    .describe("Version sent as `api-version`. Needed for `deployments`; for `v1` only to ask for `preview`."),
  apis: openAiApis(["chat_completions", "responses", "embeddings"]),
  region: regionLabel,
  ...placeFields("azure"),
  ...mappedTrafficFields,
  ...connectionFields,
});

/** Azure OpenAI. */
export const azureOpenAiUpstream = checkedMembers(members, (value) => {
  const problems: MemberProblem[] = [];
  if (value.resource === undefined && value.base_url === undefined) {
    problems.push({
      code: "missing",
      path: ["resource"],
      message: "is missing: without it and without base_url there is no address to call",
      fix: "Set resource to the name of the Azure OpenAI resource, or base_url to its whole address.",
    });
  }
  if (value.api === "deployments" && value.api_version === undefined) {
    problems.push({
      code: "missing",
      path: ["api_version"],
      message: "is missing: api: deployments does not work without a version",
      fix: 'Set api_version, for example to "2024-10-21", or remove api for v1.',
    });
  }
  return problems;
});
