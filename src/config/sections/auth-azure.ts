import { z } from "zod";

import { checkedMembers, type MemberProblem } from "../fields/checked.ts";
import { secret } from "../fields/secret.ts";
import { entraAuthFields, entraAuthProblems, entraScope } from "./auth-entra.ts";

const members = z.strictObject({
  api_key: secret()
    .optional()
    .describe(
      "Key of the resource, sent as `x-api-key` to Foundry and as `api-key` to Azure OpenAI. It does not renew itself.",
    ),
  use_azure_ad: z
    .boolean()
    .default(false)
    .describe(
      "Use Entra ID: the default chain (environment, workload identity, managed identity, Azure CLI) unless the fields below say more.",
    ),
  ...entraAuthFields,
  azure_scope: entraScope
    .optional()
    .describe("What tokens are asked for; the public cloud's scope of this service unless set."),
});

/** The credential of an Azure AI resource: a key, or Entra ID. */
export const azureAuth = checkedMembers(members, ({ api_key: key, use_azure_ad: usesEntra, ...more }) => {
  if (key !== undefined && usesEntra) {
    return [
      {
        path: ["api_key"],
        message: "api_key and use_azure_ad exclude each other: it would not be clear which is used",
        fix: "Remove api_key; Entra ID renews its tokens by itself.",
      },
    ];
  }
  if (usesEntra) return entraAuthProblems(more);
  const stray = Object.entries(more).find(([, value]) => value !== undefined && value !== false)?.[0];
  if (stray !== undefined) return [strayField(stray)];
  if (key !== undefined) return [];
  return [
    {
      path: [],
      message: "there is no credential: one of api_key and use_azure_ad is needed",
      fix: "Set auth.use_azure_ad to true, or auth.api_key, for example to ${FOUNDRY_API_KEY}.",
    },
  ];
});

function strayField(field: string): MemberProblem {
  return {
    path: [field],
    message: `${field} is of use only with use_azure_ad: true`,
    fix: "Set auth.use_azure_ad to true, or remove it.",
  };
}
