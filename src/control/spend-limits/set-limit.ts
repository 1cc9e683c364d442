import { WeirError } from "../../core/weir-error.ts";
import type { Administrator, LimitChange } from "../../ledger/budgets/spend-admin.ts";
import type { SpendAdmin } from "../../ledger/budgets/spend-admin.ts";
import type { SpendLimitRecord } from "../../store/ports/spend-limits.ts";
import type { LimitBody } from "./limit-body.ts";
import { type ApiNames, microUsdOf, windowOf } from "./limit-json.ts";
import { badRequest } from "./query.ts";

type Subject = Pick<LimitChange, "scope" | "subjectId" | "sharing">;

/** A limit as it was set, and the group's pool beside it. */
export interface SetLimit {
  readonly limit: SpendLimitRecord;
  readonly pool: SpendLimitRecord | null;
}

/** Sets what a POST asks for. Throws WeirError 400 for what does not fit together, 404 for somebody of another organisation. */
export async function setLimit(
  body: LimitBody,
  context: {
    readonly admin: SpendAdmin;
    readonly names: ApiNames;
    readonly organizationId: string;
    readonly by: Administrator;
  },
): Promise<SetLimit> {
  const { admin, names, organizationId, by } = context;
  const subject = subjectOf(body.scope, names, organizationId);
  const window = windowOf(body.period);
  const present = await admin.list(organizationId);
  const find = (wanted: Subject): SpendLimitRecord | null =>
    present.find(
      (limit) =>
        limit.scope === wanted.scope &&
        limit.subjectId === wanted.subjectId &&
        limit.sharing === wanted.sharing &&
        limit.window === window,
    ) ?? null;
  const before = find(subject);
  const amount = amountOf(body, before);
  const pooled = poolOf(body, subject, find);
  if (pooled !== null && !pooled.paused && amount === null) {
    throw badRequest(
      "A pooled budget that isn't paused needs amount (each member's own limit) on the same spend limit. Set amount; it may equal pooled_budget.amount.",
    );
  }
  const common = { organizationId, window, enforcement: "hard" } as const;
  const limit = await admin.put({ ...common, ...subject, limitMicroUsd: amount, paused: false }, by);
  const pool =
    pooled === null ? find({ ...subject, sharing: "shared" }) : await admin.put({ ...common, ...pooled }, by);
  return { limit, pool: subject.scope === "user" ? null : pool };
}

/** Whom a scope names. Ids of Weir's own must be of the organisation; other names may be of people who have yet to sign in. */
function subjectOf(scope: LimitBody["scope"], names: ApiNames, organizationId: string): Subject {
  if (scope.type === "organization") return { scope: "organization", subjectId: organizationId, sharing: "seat" };
  if (scope.type === "rbac_group") {
    const teamId = names.teamId(scope.rbac_group_id);
    if (teamId !== null) return { scope: "team", subjectId: teamId, sharing: "seat" };
    if (scope.rbac_group_id.startsWith("team_")) throw unknown("team", scope.rbac_group_id);
    return { scope: "group", subjectId: scope.rbac_group_id, sharing: "seat" };
  }
  const userId = names.userId(scope.user_id);
  if (userId === null && scope.user_id.startsWith("usr_")) throw unknown("user", scope.user_id);
  return { scope: "user", subjectId: userId ?? scope.user_id, sharing: "shared" };
}

/** The amount that is set, in micro-dollars; a pool alone may be changed where the limit exists. */
function amountOf(body: LimitBody, before: SpendLimitRecord | null): number | null {
  if (body.amount === null) return null;
  if (body.amount !== undefined) return microUsdOf(body.amount);
  if (body.pooled_budget === undefined || body.pooled_budget === null) throw badRequest("amount: Required");
  if (before !== null) return before.limitMicroUsd;
  throw badRequest(
    "This spend limit doesn't exist yet, so it needs amount (each member's own limit). Set amount; it may equal pooled_budget.amount.",
  );
}

/** The pool that is set; null where none is. */
function poolOf(
  { pooled_budget: asked, period }: LimitBody,
  subject: Subject,
  find: (wanted: Subject) => SpendLimitRecord | null,
): (Subject & Pick<LimitChange, "limitMicroUsd" | "paused">) | null {
  if (asked === undefined || asked === null) return null;
  const sets = asked.paused === false || (asked.amount ?? null) !== null;
  if (subject.scope !== "team" && subject.scope !== "group") {
    if (!sets) return null;
    throw badRequest("Pooled budget fields can only be set on a group-level limit");
  }
  if (period !== "monthly") {
    if (!sets) return null;
    throw badRequest("Pooled budgets are monthly only. Set pooled fields on the group's monthly limit.");
  }
  if (subject.scope === "group") {
    if (!sets) return null;
    throw badRequest(
      `pooled_budget: Weir pools the spend of teams, and ${JSON.stringify(subject.subjectId)} is no team here. Create a team of that name, or leave pooled_budget out.`,
    );
  }
  const pool = { ...subject, sharing: "shared" } as const;
  const before = find(pool);
  const limitMicroUsd =
    asked.amount === undefined
      ? (before?.limitMicroUsd ?? null)
      : asked.amount === null
        ? null
        : microUsdOf(asked.amount);
  const paused = asked.paused ?? before?.paused ?? limitMicroUsd === null;
  if (!paused && limitMicroUsd === null) {
    throw badRequest(
      "A pooled budget that isn't paused needs an amount. Set pooled_budget.amount, or set pooled_budget.paused to true.",
    );
  }
  return { ...pool, limitMicroUsd, paused };
}

function unknown(kind: string, id: string): WeirError {
  return new WeirError("weir:request:not_found", `There is no ${kind} ${id} in this organization.`);
}
