import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { baseUrl } from "../fields/network.ts";
import { secret } from "../fields/secret.ts";
import { openAiApis } from "./openai-apis.ts";
import { upstreamName } from "./upstream-common.ts";
import { connectionFields } from "./upstream-connection.ts";
import { mappedTrafficFields, placeFields, regionLabel } from "./upstream-traffic.ts";

const auth = checkedMembers(
  z.strictObject({
    type: z
      .enum(["bearer", "none"])
      .default("bearer")
      .describe("`bearer` sends `api_key`; `none` sends nothing, for a server that asks for nothing."),
    api_key: secret().optional().describe("Key, sent as `Authorization: Bearer`. Reread on reload."),
  }),
  ({ type, api_key: key }) => {
    if (type === "bearer" && key === undefined) {
      return [
        {
          code: "missing",
          path: ["api_key"],
          message: "is missing: there is no credential",
          fix: "Set auth.api_key, for example to ${OPENAI_API_KEY}, or auth.type to none for a server without keys.",
        },
      ];
    }
    if (type === "bearer" || key === undefined) return [];
    return [
      {
        path: ["api_key"],
        message: "type: none sends no credential, so this one would not be used",
        fix: "Remove auth.type, or the key.",
      },
    ];
  },
);

/** OpenAI, or anything that speaks its APIs. */
export const openAiUpstream = z.strictObject({
  provider: z.literal("openai").describe("OpenAI, or anything that speaks its APIs: vLLM, Ollama, another gateway."),
  name: upstreamName("openai"),
  base_url: baseUrl()
    .default("https://api.openai.com/v1")
    .describe(
      "What stands before `/chat/completions`, as OpenAI's own SDKs take it; `/v1` is added where it has no path.",
    ),
  auth: auth.describe("The credential."),
  apis: openAiApis(["chat_completions", "embeddings"]),
  region: regionLabel,
  ...placeFields(null),
  ...mappedTrafficFields,
  ...connectionFields,
});
