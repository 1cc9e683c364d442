import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { corsOrigin } from "../fields/network.ts";

const members = z.strictObject({
  allowed_origins: z
    .array(corsOrigin())
    .default([])
    .describe("Origins whose pages may call Weir from a browser, or `*`. Empty: none."),
  allow_credentials: z.boolean().default(false).describe("Whether such pages may send cookies; not together with `*`."),
});

/** Browsers on other origins. */
export const cors = checkedMembers(members, (value) => {
  const wildcard = value.allowed_origins.indexOf("*");
  if (wildcard === -1 || !value.allow_credentials) return [];
  return [
    {
      code: "wildcard_cors_with_credentials",
      path: ["allowed_origins", wildcard],
      message: "`*` together with allow_credentials would let any web page act as the signed-in user",
      fix: "List the origins one by one, or set cors.allow_credentials to false.",
    },
  ];
})
  .prefault({})
  .describe("Which web pages may call Weir from a browser.");
