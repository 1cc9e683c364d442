import { z } from "zod";

import { badRequest } from "./query.ts";

const cents = z
  .string()
  .regex(/^\d{1,15}$/, "must be a whole-number decimal string of cents")
  .nullable();

/** What sets a limit. */
const limitBody = z.object({
  scope: z.discriminatedUnion("type", [
    z.object({ type: z.literal("user"), user_id: z.string().min(1).max(255) }),
    z.object({ type: z.literal("rbac_group"), rbac_group_id: z.string().min(1).max(255) }),
    z.object({ type: z.literal("organization") }),
  ]),
  amount: cents.optional(),
  period: z.enum(["daily", "weekly", "monthly"]).default("monthly"),
  currency: z.literal("USD", "must be USD").optional(),
  pooled_budget: z
    .object({
      amount: cents.optional(),
      paused: z.boolean().nullish(),
      currency: z.literal("USD", "must be USD").optional(),
    })
    .nullish(),
});

export type LimitBody = z.infer<typeof limitBody>;

/** Reads the body of a POST. Throws WeirError 400 that names the field. */
export function readLimitBody(body: unknown): LimitBody {
  const parsed = limitBody.safeParse(body);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = issue?.path.join(".") ?? "";
  const message = issue?.message ?? "the request body is not valid";
  throw badRequest(path === "" ? message : `${path}: ${message}`);
}
