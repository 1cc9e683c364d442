import type { FastifyReply, FastifyRequest } from "fastify";

import { AuditUnavailable } from "../../core/audit-act.ts";
import type { Clock } from "../../core/clock.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { Budget } from "../../ledger/budgets/budget.ts";
import type { LimitsInForce } from "../../ledger/budgets/limits-in-force.ts";
import type { SpendAdmin } from "../../ledger/budgets/spend-admin.ts";
import type { DirectorySnapshot } from "../../store/ports/directory.ts";
import type { SpendEvent, SpendLimitRecord, SpendLimitStore, SpendPlan } from "../../store/ports/spend-limits.ts";
import { StoreError } from "../../store/ports/store-error.ts";
import type { ControlRoutes } from "../control-api.ts";
import { adminAccess, type AccessFacts, type AdminAccess, type AdminSettings } from "./admin-access.ts";
import { effectivePage, effectiveQuery } from "./effective.ts";
import { readLimitBody } from "./limit-body.ts";
import { ApiNames, limitJson, periodOf, type Period, windowOf } from "./limit-json.ts";
import { badRequest, limitParameter, queryOf, wordParameter } from "./query.ts";
import { setLimit } from "./set-limit.ts";
import type { SpendReader } from "./spend-reader.ts";

const PATH = "/v1/organizations/spend_limits";

/** What the running Weir knows of limits. */
export interface SpendFacts {
  readonly directory: DirectorySnapshot;
  readonly spend: SpendPlan;
  readonly limits: LimitsInForce;
  readonly settings: AdminSettings | null;
}

export interface SpendLimitParts {
  readonly admin: SpendAdmin;
  readonly store: SpendLimitStore;
  readonly reader: SpendReader;
  readonly clock: Clock;
  readonly personOf: AccessFacts["personOf"];
  /** As it is now: read anew for every call. */
  readonly facts: () => SpendFacts;
  /** The limits with everything that is stored, also what the running Weir has not heard of yet. */
  readonly fresh: () => Promise<SpendFacts>;
}

/** A call with who makes it. */
interface Call {
  readonly request: FastifyRequest;
  readonly access: AdminAccess;
}

/** The admin API of spend limits, in the shapes of Anthropic's Admin API and its own gateway. */
export function spendLimitRoutes(parts: SpendLimitParts): ControlRoutes {
  const handle =
    (work: (call: Call, parts: SpendLimitParts) => Promise<unknown>, needsWrite = false) =>
    async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
      const { settings, directory } = parts.facts();
      const { organizations } = directory;
      const access = await adminAccess(request.call, { settings, organizations, personOf: parts.personOf });
      if (needsWrite && !access.canWrite) {
        throw new WeirError("weir:access:endpoint", "requires write:spend_limits");
      }
      const answer = await work({ request, access }, parts).catch(refuseUnlessStored);
      return reply.header("cache-control", "no-store").send(answer);
    };
  const routes: ControlRoutes = (app) => {
    app.get(PATH, handle(list));
    app.post(PATH, handle(create, true));
    app.get(`${PATH}/effective`, handle(effective));
    app.get(`${PATH}/audit`, handle(audit));
    app.get(`${PATH}/:id`, handle(get));
    app.delete(`${PATH}/:id`, handle(remove, true));
  };
  return (app) => {
    app.register(async (scope) => {
      takeJson(scope);
      routes(scope);
    });
  };
}

/** Clients name the type also where they send nothing, with a DELETE; that is no mistake. */
function takeJson(app: Parameters<ControlRoutes>[0]): void {
  app.removeContentTypeParser("application/json");
  app.addContentTypeParser("application/json", { parseAs: "string" }, (_request, text, done) => {
    if (text === "") return done(null, undefined);
    try {
      return done(null, JSON.parse(text.toString()));
    } catch {
      return done(new WeirError("weir:request:malformed_json", "invalid JSON body"));
    }
  });
}

/** A limit that the API can show, with its scope and period. */
interface Shown {
  readonly limit: SpendLimitRecord;
  readonly scope: NonNullable<ReturnType<ApiNames["scopeOf"]>>;
  readonly period: Period;
}

async function list({ request, access }: Call, parts: SpendLimitParts): Promise<unknown> {
  const query = queryOf(request.call.path);
  const limit = limitParameter(query, 20);
  const scopeType = wordParameter(query, "scope_type", ["organization", "rbac_group", "user"]);
  const [after, before] = [query.get("after_id"), query.get("before_id")];
  if (after !== null && before !== null) throw badRequest("after_id and before_id are mutually exclusive");
  const { shown, all } = await shownLimits(access, parts);
  const at = shown.findIndex((row) => row.limit.id === (after ?? before));
  if ((after ?? before) !== null && at < 0) {
    throw badRequest(`${after === null ? "before_id" : "after_id"}: no spend limit with this id`);
  }
  const side = before === null ? shown.slice(at + 1) : shown.slice(0, at);
  const rows = side.filter(({ scope }) => scopeType === null || scope.type === scopeType);
  const page = before === null ? rows.slice(0, limit) : rows.slice(-limit);
  const data = await jsonOf(page, all, { access, parts });
  return {
    data,
    has_more: rows.length > page.length,
    first_id: page[0]?.limit.id ?? null,
    last_id: page.at(-1)?.limit.id ?? null,
  };
}

async function get({ request, access }: Call, parts: SpendLimitParts): Promise<unknown> {
  const { shown, all } = await shownLimits(access, parts);
  const found = shown.find(({ limit }) => limit.id === idOf(request));
  if (found === undefined) throw notFound();
  const [json] = await jsonOf([found], all, { access, parts });
  return json;
}

async function create({ request, access }: Call, parts: SpendLimitParts): Promise<unknown> {
  const body = readLimitBody(request.body);
  const { organizationId } = access;
  const names = namesOf(access, await parts.fresh());
  const { limit, pool } = await setLimit(body, { admin: parts.admin, names, organizationId, by: access });
  const scope = names.scopeOf(limit);
  if (scope === null) throw new Error("a limit was set that the API cannot show");
  const [json] = await jsonOf([{ limit, scope, period: body.period }], pool === null ? [] : [pool], { access, parts });
  return json;
}

async function remove({ request, access }: Call, { admin }: SpendLimitParts): Promise<unknown> {
  const id = idOf(request);
  const { organizationId } = access;
  const limit = await admin.remove(organizationId, id, access);
  if (limit === null) throw notFound();
  // The group's pool is a part of what the API shows as one limit.
  if (limit.scope === "team" && limit.sharing === "seat" && limit.window === "month") {
    const pool = (await admin.list(organizationId)).find((other) => isPoolOf(limit, other));
    if (pool !== undefined) await admin.remove(organizationId, pool.id, access);
  }
  return { type: "spend_limit_deleted", id };
}

async function effective({ request, access }: Call, parts: SpendLimitParts): Promise<unknown> {
  const query = effectiveQuery(queryOf(request.call.path));
  const { organizationId } = access;
  const facts = await parts.fresh();
  const users = facts.directory.users.filter((user) => user.organizationId === organizationId);
  const ids = users.map(({ id }) => id);
  const timeZone = zoneOf(facts, organizationId);
  const spent = new Map<Period, ReadonlyMap<string, number>>();
  for (const period of query.periods) {
    spent.set(period, await parts.reader.spent("user", { organizationId, timeZone, window: windowOf(period) }, ids));
  }
  const budgets = new Map<string, Budget>();
  for (const budget of facts.limits.budgets()) {
    if (budget.scope === "user") budgets.set(`${budget.subjectId}/${budget.window}`, budget);
  }
  const nowMs = parts.clock.nowMs();
  const names = namesOf(access, facts);
  return effectivePage(query, { users, names, limits: facts.limits, budgets, spent, nowMs });
}

async function audit({ request, access }: Call, { store }: SpendLimitParts): Promise<unknown> {
  const query = queryOf(request.call.path);
  const limit = limitParameter(query, 100);
  const after = query.get("after_id");
  if (after !== null && !/^\d{1,15}$/.test(after)) throw badRequest("after_id: must be an audit event id");
  const events = await store.events(access.organizationId, {
    limit: limit + 1,
    ...(after === null ? {} : { afterId: Number(after) }),
  });
  return { data: events.slice(0, limit).map(eventJson), has_more: events.length > limit };
}

function eventJson(event: SpendEvent): Record<string, unknown> {
  return {
    type: "audit_event",
    id: String(event.id),
    created_at: new Date(event.atMs).toISOString(),
    actor: event.actor,
    action: event.action,
    target_id: event.targetId,
    before: event.before,
    after: event.after,
    reason: event.reason,
  };
}

/** The organisation's limits that the API has names for, and all of them. */
async function shownLimits(
  access: AdminAccess,
  parts: SpendLimitParts,
): Promise<{ shown: readonly Shown[]; all: readonly SpendLimitRecord[] }> {
  const all = await parts.admin.list(access.organizationId);
  const names = namesOf(access, parts.facts());
  const shown = all.flatMap((limit): Shown[] => {
    const [scope, period] = [names.scopeOf(limit), periodOf(limit.window)];
    return scope === null || period === null ? [] : [{ limit, scope, period }];
  });
  return { shown, all };
}

async function jsonOf(
  rows: readonly Shown[],
  all: readonly SpendLimitRecord[],
  { access, parts }: { access: AdminAccess; parts: SpendLimitParts },
): Promise<readonly Record<string, unknown>[]> {
  const { organizationId } = access;
  const pools = rows.map(({ limit }) => all.find((other) => isPoolOf(limit, other)) ?? null);
  const teams = pools.flatMap((pool) => (pool === null ? [] : [pool.subjectId]));
  const window = "month" as const;
  const timeZone = zoneOf(parts.facts(), organizationId);
  const spent =
    teams.length === 0 ? null : await parts.reader.spent("team", { organizationId, timeZone, window }, teams);
  return rows.map(({ limit, scope, period }, at) => {
    const pool = pools[at] ?? null;
    const state = pool === null ? null : { limit: pool, spentMicroUsd: spent?.get(pool.subjectId) ?? 0 };
    return limitJson(limit, { scope, period, pool: state });
  });
}

/** Whether `other` is the shared budget that the API shows with a group's monthly limit. */
function isPoolOf(limit: SpendLimitRecord, other: SpendLimitRecord): boolean {
  return (
    limit.scope === "team" &&
    limit.sharing === "seat" &&
    limit.window === "month" &&
    other.scope === "team" &&
    other.sharing === "shared" &&
    other.window === "month" &&
    other.subjectId === limit.subjectId
  );
}

function namesOf({ organizationId }: AdminAccess, { directory, spend }: SpendFacts): ApiNames {
  return new ApiNames(organizationId, directory, spend.members);
}

function zoneOf({ directory }: SpendFacts, organizationId: string): string {
  return directory.organizations.find(({ id }) => id === organizationId)?.timeZone ?? "UTC";
}

function idOf(request: FastifyRequest): string {
  const { params } = request;
  // Fastify gives the parameters that the path names.
  return typeof params === "object" && params !== null && "id" in params ? String(params.id) : "";
}

function notFound(): WeirError {
  return new WeirError("weir:request:not_found", "spend limit not found");
}

/** What cannot be stored is refused so that the caller knows that nothing was changed and may try again. */
function refuseUnlessStored(error: unknown): never {
  if (error instanceof AuditUnavailable) {
    const message = "The change was refused, because it cannot be written to the audit trail. Nothing was changed.";
    throw new WeirError("weir:server:store_unavailable", message, { retryAfterSeconds: 5, cause: error });
  }
  if (error instanceof StoreError && error.kind === "unavailable") {
    const message = "Spend limits cannot be read or changed at the moment.";
    throw new WeirError("weir:server:store_unavailable", message, { retryAfterSeconds: 5, cause: error });
  }
  throw error;
}
