import { z } from "zod";

import { checkedMembers } from "../fields/checked.ts";
import { positiveUsd } from "../fields/usd.ts";

const row = z.strictObject({
  scope: z.enum(["organization", "team", "user", "key", "tag"]).describe("Whose spend is limited."),
  name: z
    .string()
    .min(1)
    .optional()
    .describe("Name of the one subject that is limited. Absent: every subject of the scope, each by itself."),
  each_user: z
    .boolean()
    .default(false)
    .describe(
      "With scope `organization` or `team`: not one limit for all of it together, but this one for every user of it, unless the user has one of their own.",
    ),
  window: z
    .enum(["day", "week", "month", "total"])
    .describe("When the count begins anew; weeks begin on Monday, in the organization's time zone (UTC unless set)."),
  limit_usd: positiveUsd().describe("Most that may be spent in a window, in US dollars with at most six decimals."),
  enforcement: z
    .enum(["hard", "soft"])
    .default("hard")
    .describe("`hard` refuses what would pass the limit, `soft` only alerts."),
});

const budget = checkedMembers(row, ({ scope, each_user }) =>
  each_user && scope !== "organization" && scope !== "team"
    ? [
        {
          path: ["each_user"],
          message: `a budget of scope ${scope} has no users to divide among`,
          fix: "Leave it out, or write scope: organization or scope: team.",
        },
      ]
    : [],
);

/** Spend limits. */
export const budgets = checkedMembers(z.array(budget), (list) => {
  const seen = new Map<string, number>();
  return list.flatMap((row, i) => {
    const identity = JSON.stringify([row.scope, row.name ?? null, row.window, row.each_user]);
    const first = seen.get(identity);
    seen.set(identity, first ?? i);
    if (first === undefined) return [];
    return [
      {
        code: "duplicate",
        path: [i],
        message: `budgets[${first}] already limits the same subject and window`,
        fix: "Remove one of the two.",
      },
    ];
  });
})
  .default([])
  .describe("Spend limits.");

/** How much of a budget an open request holds. */
export const budgeting = z
  .strictObject({
    reserve: z
      .enum(["expected", "worst_case"])
      .default("expected")
      .describe(
        "What a request reserves before it runs: its expected cost, learnt per key and model, or its worst case (`max_tokens` in full), which admits less but can never overshoot.",
      ),
    max_overshoot_usd: positiveUsd()
      .default(5)
      .describe("Most by which all open requests together may pass a hard limit under `expected`, in US dollars."),
    quantile: z
      .number()
      .min(0.5)
      .max(0.999)
      .default(0.95)
      .describe("Share of past requests whose cost an `expected` reservation covers."),
  })
  .prefault({})
  .describe("How much of a budget an open request holds.");
