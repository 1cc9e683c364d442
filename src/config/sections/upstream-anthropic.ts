import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { baseUrl, parseUrl, proxyUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";
import { extraHeaders, upstreamName, upstreamTls } from "./upstream-common.ts";

const ANTHROPIC_BASE_URL = "https://api.anthropic.com";

const auth = checkedMembers(
  z.strictObject({
    api_key: secret().optional().describe("API key, sent as `x-api-key`."),
    oauth_token: secret().optional().describe("OAuth bearer, sent as `Authorization: Bearer`. Reread on reload."),
  }),
  (value) => {
    const count = [value.api_key, value.oauth_token].filter((credential) => credential !== undefined).length;
    if (count === 1) return [];
    return [
      {
        path: [],
        message:
          count === 0 ? "one of api_key and oauth_token is needed" : "api_key and oauth_token exclude each other",
        fix: count === 0 ? "Set auth.api_key, for example to ${ANTHROPIC_API_KEY}." : "Remove one of the two.",
      },
    ];
  },
);

const members = z.strictObject({
  provider: z.literal("anthropic").describe("The Anthropic API, or anything that speaks it."),
  name: upstreamName("anthropic"),
  base_url: baseUrl()
    .default(ANTHROPIC_BASE_URL)
    .describe("Where the API is. Set it to put another gateway between Weir and the provider (gateway mode)."),
  auth: auth.describe("The credential; exactly one."),
  forward_user_identity: z
    .boolean()
    .default(false)
    .describe(
      "Send the caller's user id and e-mail as headers to this upstream. Only for a proxy of your own in `base_url`.",
    ),
  proxy: z
    .union([z.literal("direct"), proxyUrl()], { error: "must be the URL of a proxy, or the word direct" })
    .optional()
    .describe("Forward proxy for this upstream instead of `network.proxy`'s; `direct` uses none."),
  tls: upstreamTls.optional().describe("TLS towards this upstream, where the system's defaults do not do."),
  headers: extraHeaders,
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
