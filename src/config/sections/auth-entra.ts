import { z } from "zod";

import { checked, type MemberProblem } from "../fields/checked.ts";
import { opaqueId } from "../fields/cloud-name.ts";
import { tokenFilePath } from "../fields/file-path.ts";
import { parseUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";

const EXAMPLE_GUID = "72f988bf-86f1-41af-91ab-2d7cd011db47";

const authority = checked(z.string(), (value) => {
  const url = parseUrl(value);
  if (url?.protocol === "https:" && url.username === "" && url.search === "" && url.hash === "") return null;
  return {
    message: "must be the https:// address of a sign-in authority",
    fix: "Write for example https://login.microsoftonline.us (Azure Government).",
  };
});

/** What a token is asked for; by default the scope of the provider. */
export const entraScope = checked(z.string(), (value) => {
  if (/^\S+\/\.default$/.test(value)) return null;
  return {
    message: "must be a resource followed by /.default",
    fix: "Write for example https://cognitiveservices.azure.com/.default.",
  };
});

/** Entra ID credentials. Nothing set is Azure's default credential chain. */
export const entraAuthFields = {
  azure_tenant_id: opaqueId(EXAMPLE_GUID)
    .optional()
    .describe(
      "Directory (tenant) of the application. Needed with a secret; for workload identity the environment has it.",
    ),
  azure_client_id: opaqueId(EXAMPLE_GUID)
    .optional()
    .describe("Client id of the application, or of a user-assigned managed identity."),
  azure_client_secret: secret().optional().describe("Secret of the application."),
  azure_federated_token_file: tokenFilePath()
    .optional()
    .describe(
      "File with an OIDC token to exchange (workload identity). Reread at each exchange, so a token may be renewed in place.",
    ),
  azure_managed_identity: z
    .boolean()
    .default(false)
    .describe(
      "Ask for the managed identity alone, instead of trying the default chain's sources one after the other. Starts faster and fails plainly.",
    ),
  azure_authority_host: authority
    .optional()
    .describe("Sign-in authority of a sovereign cloud; the public cloud's unless set."),
};

const entraAuth = z.strictObject(entraAuthFields);
export type EntraAuth = z.output<typeof entraAuth>;

/** What does not go together in Entra ID credentials. */
export function entraAuthProblems(auth: EntraAuth): MemberProblem[] {
  const [first, second] = sourcesOf(auth);
  if (first !== undefined && second !== undefined) {
    return [
      {
        path: [second],
        message: `${first} and ${second} exclude each other: it would not be clear which is used`,
        fix: "Remove one of the two.",
      },
    ];
  }
  if (first === "azure_client_secret") return missingForSecret(auth);
  if (auth.azure_tenant_id === undefined || first === "azure_federated_token_file") return [];
  return [
    {
      path: ["azure_tenant_id"],
      message: "azure_tenant_id is of use only with azure_client_secret or azure_federated_token_file",
      fix: "Remove it; a managed identity and the default chain know their tenant. Or set one of the two.",
    },
  ];
}

function sourcesOf(auth: EntraAuth) {
  const fields = ["azure_client_secret", "azure_federated_token_file", "azure_managed_identity"] as const;
  return fields.filter((field) => auth[field] !== undefined && auth[field] !== false);
}

function missingForSecret(auth: EntraAuth): MemberProblem[] {
  return (["azure_tenant_id", "azure_client_id"] as const)
    .filter((field) => auth[field] === undefined)
    .map((field) => ({
      code: "missing",
      path: [field],
      message: "is missing: azure_client_secret needs azure_tenant_id and azure_client_id",
      fix: `Set auth.${field} as well.`,
    }));
}
