import { z } from "zod";

import { checkedMembers, type MemberProblem } from "../fields/checked.ts";
import { opaqueId } from "../fields/cloud-name.ts";
import { tokenFilePath } from "../fields/file-path.ts";
import { baseUrl, parseUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields } from "./upstream-connection.ts";
import { placeFields, regionLabel, trafficFields } from "./upstream-traffic.ts";

const ANTHROPIC_BASE_URL = "https://api.anthropic.com";

const authMembers = z.strictObject({
  api_key: secret().optional().describe("API key, sent as `x-api-key`."),
  oauth_token: secret().optional().describe("OAuth bearer, sent as `Authorization: Bearer`. Reread on reload."),
  federation_rule_id: opaqueId("fdrl_01ABC")
    .optional()
    .describe(
      "Rule of Workload Identity Federation by which an identity token is exchanged for a bearer that lives shortly; renewed before it ends.",
    ),
  organization_id: opaqueId("00000000-0000-0000-0000-000000000000")
    .optional()
    .describe("Organization that the rule belongs to. Needed with `federation_rule_id`."),
  identity_token_file: tokenFilePath()
    .optional()
    .describe(
      "File with the workload's OIDC token, for example a projected service-account token. Reread at each exchange, so it may be renewed in place. Needed with `federation_rule_id`.",
    ),
  workspace_id: opaqueId("wrkspc_01ABC")
    .optional()
    .describe("Workspace to act in. Needed where the rule covers more than one."),
  service_account_id: opaqueId("svac_01ABC")
    .optional()
    .describe("Service account that the exchange is expected to lead to; refused if it leads elsewhere."),
});

type Auth = z.output<typeof authMembers>;

const FORMS = ["api_key", "oauth_token", "federation_rule_id"] as const;
const FEDERATION_FIELDS = ["organization_id", "identity_token_file", "workspace_id", "service_account_id"] as const;

const auth = checkedMembers(authMembers, (value) => {
  const given = FORMS.filter((form) => value[form] !== undefined);
  if (given.length > 1) {
    return [{ path: [], message: `${given.join(" and ")} exclude each other`, fix: "Remove all but one of them." }];
  }
  if (given[0] === "federation_rule_id") return missingForFederation(value);
  const stray = FEDERATION_FIELDS.find((field) => value[field] !== undefined);
  if (stray !== undefined) return [{ path: ["federation_rule_id"], ...strayText(stray) }];
  if (given.length === 1) return [];
  return [
    {
      path: [],
      message: "one of api_key, oauth_token and federation_rule_id is needed",
      fix: "Set auth.api_key, for example to ${ANTHROPIC_API_KEY}.",
    },
  ];
});

function missingForFederation(value: Auth): MemberProblem[] {
  return (["organization_id", "identity_token_file"] as const)
    .filter((field) => value[field] === undefined)
    .map((field) => ({
      path: [field],
      code: "missing",
      message: `is missing: federation_rule_id needs organization_id and identity_token_file`,
      fix: `Set auth.${field} as well.`,
    }));
}

function strayText(field: string): { message: string; fix: string } {
  return {
    message: `is missing: ${field} is a part of Workload Identity Federation, which needs it`,
    fix: `Set auth.federation_rule_id, or remove auth.${field}.`,
  };
}

const members = z.strictObject({
  provider: z.literal("anthropic").describe("The Anthropic API, or anything that speaks it."),
  name: upstreamName("anthropic"),
  base_url: baseUrl()
    .default(ANTHROPIC_BASE_URL)
    .describe("Where the API is. Set it to put another gateway between Weir and the provider (gateway mode)."),
  auth: auth.describe("The credential; exactly one of a key, a bearer and federation."),
  forward_user_identity: z
    .boolean()
    .default(false)
    .describe(
      "Send the caller's user id and e-mail as headers to this upstream. Only for a proxy of your own in `base_url`.",
    ),
  region: regionLabel,
  ...placeFields("anthropic"),
  ...trafficFields,
  ...connectionFields,
});

/** The Anthropic API. */
export const anthropicUpstream = checkedMembers(members, (value) => {
  const isProvider = parseUrl(value.base_url)?.hostname === parseUrl(ANTHROPIC_BASE_URL)?.hostname;
  if (!value.forward_user_identity || !isProvider) return [];
  return [
    {
      path: ["forward_user_identity"],
      message: "forward_user_identity would send your users' e-mail addresses to the Anthropic API",
      fix: "Remove it, or set base_url to a proxy that you operate.",
    },
  ];
});
