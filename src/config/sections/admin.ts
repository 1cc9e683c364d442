import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { secret } from "../fields/secret.ts";

/** As short as a key may be that can change what everybody may spend. */
const MIN_KEY_LENGTH = 32;

const adminKey = z.strictObject({
  id: z
    .string()
    .min(1)
    .max(100)
    .describe("Name of the key in the audit trail (`admin-key:<id>`); unique over `read_keys` and `write_keys`."),
  key: secret()
    .min(MIN_KEY_LENGTH)
    .describe("The secret, sent as `x-api-key`; at least 32 characters. Refer to it: `${WEIR_ADMIN_KEY}`."),
  organization: z
    .string()
    .min(1)
    .optional()
    .describe("Name or id of the organization that the key administers; needed where there are several."),
});

/** Whether and by whom spend limits are set over HTTP. */
export const admin = checkedMembers(
  z.strictObject({
    write_keys: z.array(adminKey).default([]).describe("Keys that may list, set and delete spend limits."),
    read_keys: z.array(adminKey).default([]).describe("Keys that may only read them."),
    admin_groups: z
      .array(z.string().min(1))
      .default([])
      .describe("Groups of the identity provider whose members, signed in, may do what `write_keys` may."),
    blocked_message: z
      .string()
      .min(1)
      .max(1000)
      .optional()
      .describe(
        "What a developer is to do whose limit is reached, in a whole sentence; put behind the refusal as it is.",
      ),
    group_limit_mode: z
      .enum(["min", "max"])
      .default("min")
      .describe("Which limit a user has who is in several groups with one: the most or the least restrictive."),
    audit_retention_days: z
      .int()
      .min(1)
      .default(365)
      .describe(
        "How long `/v1/organizations/spend_limits/audit` shows a change; the audit trail keeps it by its own rules.",
      ),
    spend_retention_months: z
      .int()
      .min(1)
      .default(13)
      .describe("Taken for the sake of files that have it: spend is summed from the ledger, whose rows Weir keeps."),
    identity_retention_days: z
      .int()
      .min(1)
      .default(90)
      .describe("How long the groups of a user are remembered who does not sign in again."),
  }),
  (value) => {
    const keys = [
      ...value.write_keys.map((key, at) => ({ ...key, path: ["write_keys", at] })),
      ...value.read_keys.map((key, at) => ({ ...key, path: ["read_keys", at] })),
    ];
    return keys.flatMap(({ id, key, path }, at) => {
      const before = keys.slice(0, at);
      const repeated = before.some((other) => other.id === id)
        ? { what: "id", message: "is the id of another admin key", fix: "Give every admin key an id of its own." }
        : before.some((other) => other.key === key)
          ? { what: "key", message: "is the secret of another admin key", fix: "Give every admin key its own secret." }
          : null;
      if (repeated === null) return [];
      return [{ code: "duplicate", path: [...path, repeated.what], message: repeated.message, fix: repeated.fix }];
    });
  },
)
  .optional()
  .describe(
    "Administration of spend limits over HTTP, at `/v1/organizations/spend_limits`. Absent: there is none, and limits are set in `budgets` or with `weir budget`.",
  );
