import { z } from "zod";

import type { LimitsInForce } from "../../ledger/budgets/limits-in-force.ts";
import { limitAt, type Budget } from "../../ledger/budgets/budget.ts";
import type { UserRecord } from "../../store/ports/directory.ts";
import { type ApiNames, centsOf, exactCentsOf, type Period, PERIODS, windowOf } from "./limit-json.ts";
import { badRequest, limitParameter, wordParameter } from "./query.ts";

const MAX_USERS = 100;
const MAX_SEARCH_LENGTH = 256;

/** What `/effective` was asked for. */
export interface EffectiveQuery {
  readonly periods: readonly Period[];
  /** Null: whoever has spent something. */
  readonly userIds: readonly string[] | null;
  readonly search: string | null;
  readonly bySpend: boolean;
  readonly limit: number;
  readonly after: Cursor | null;
}

const cursor = z.object({
  /** The user that the last page ended with. */
  p: z.string(),
  /** What they had spent, in micro-dollars, where the order is by spend. */
  c: z.number().optional(),
});
type Cursor = z.infer<typeof cursor>;

/** Reads the query. Throws WeirError 400 in the words of the API's parameters. */
export function effectiveQuery(query: URLSearchParams): EffectiveQuery {
  const periods = query.getAll("period[]").map((text) => {
    const period = PERIODS.find((known) => known === text);
    if (period === undefined) throw badRequest("period[]: must be one of daily, weekly, monthly");
    return period;
  });
  const distinct = [...new Set(periods)];
  const userIds = query.getAll("user_ids[]");
  if (userIds.length > MAX_USERS) throw badRequest(`user_ids[]: at most ${MAX_USERS} entries per request`);
  const search = query.get("q");
  if (search !== null && search.length > MAX_SEARCH_LENGTH) throw badRequest("q: too long");
  const bySpend = wordParameter(query, "sort", ["spend_desc"]) !== null;
  if (bySpend && distinct.length !== 1) throw badRequest("sort=spend_desc requires exactly one period[]");
  return {
    periods: distinct.length === 0 ? PERIODS : distinct,
    userIds: userIds.length === 0 ? null : userIds,
    search,
    bySpend,
    limit: limitParameter(query, 20),
    after: readCursor(query.get("page"), bySpend),
  };
}

/** Everything that the report is made of. */
export interface EffectiveFacts {
  readonly users: readonly UserRecord[];
  readonly names: ApiNames;
  readonly limits: LimitsInForce;
  /** Budgets in force by `<user>/<window>`, for the increases that they have. */
  readonly budgets: ReadonlyMap<string, Budget>;
  /** Micro-dollars by period, then by user. */
  readonly spent: ReadonlyMap<Period, ReadonlyMap<string, number>>;
  readonly nowMs: number;
}

/** One page: a row for each user and period, users never split. */
export function effectivePage(query: EffectiveQuery, facts: EffectiveFacts): Record<string, unknown> {
  const found = query.userIds === null ? spenders(query, facts) : named(query.userIds, facts);
  const page = query.userIds === null ? found.slice(0, query.limit) : found;
  const last = page.at(-1);
  const more = page.length < found.length && last !== undefined;
  return {
    data: page.flatMap((user) => query.periods.map((period) => row(user, period, facts))),
    next_page: more ? writeCursor(last, query, facts) : null,
  };
}

function named(userIds: readonly string[], { users, names }: EffectiveFacts): readonly UserRecord[] {
  const byId = new Map(users.map((user) => [user.id, user]));
  const found = userIds.map((name) => byId.get(names.userId(name) ?? ""));
  return [...new Set(found.filter((user) => user !== undefined))];
}

/** Who has spent anything in one of the periods, in the order asked for, after the cursor. */
function spenders(query: EffectiveQuery, facts: EffectiveFacts): readonly UserRecord[] {
  const { bySpend, after, search } = query;
  const [period = "monthly"] = query.periods;
  const spentOf = ({ id }: UserRecord): number => facts.spent.get(period)?.get(id) ?? 0;
  const hasSpent = ({ id }: UserRecord): boolean => [...facts.spent.values()].some((sums) => sums.has(id));
  const wanted = search?.toLowerCase() ?? "";
  const matches = (user: UserRecord): boolean =>
    [facts.names.ofUser(user.id), user.email ?? "", user.name].some((text) => text.toLowerCase().includes(wanted));
  const isAfter = (user: UserRecord): boolean => {
    if (after === null) return true;
    if (!bySpend) return user.id > after.p;
    const spent = spentOf(user);
    return spent < (after.c ?? 0) || (spent === after.c && user.id > after.p);
  };
  return facts.users
    .filter((user) => hasSpent(user) && matches(user) && isAfter(user))
    .sort((a, b) => (bySpend ? spentOf(b) - spentOf(a) : 0) || (a.id < b.id ? -1 : 1));
}

function row(user: UserRecord, period: Period, facts: EffectiveFacts): Record<string, unknown> {
  const { names, limits, budgets, spent, nowMs } = facts;
  const window = windowOf(period);
  const rule = limits.ofUser(user, window);
  const budget = budgets.get(`${user.id}/${window}`);
  const name = names.ofUser(user.id);
  const amount = budget === undefined ? null : centsOf(limitAt(budget, nowMs));
  return {
    scope: { type: "user", user_id: name },
    groups: limits.groupsOf(user),
    actor: { type: "user_actor", user_id: name, name: user.name, email_address: user.email, deleted: false },
    amount,
    currency: "USD",
    period,
    source: rule === null ? null : names.scopeOf(rule),
    spend_limit_id: rule === null || rule.id.startsWith("configured/") ? null : rule.id,
    period_to_date_spend: exactCentsOf(spent.get(period)?.get(user.id) ?? 0),
  };
}

function writeCursor(user: UserRecord, { bySpend, periods }: EffectiveQuery, { spent }: EffectiveFacts): string {
  const [period = "monthly"] = periods;
  const at: Cursor = bySpend ? { p: user.id, c: spent.get(period)?.get(user.id) ?? 0 } : { p: user.id };
  return Buffer.from(JSON.stringify(at)).toString("base64url");
}

function readCursor(text: string | null, bySpend: boolean): Cursor | null {
  if (text === null) return null;
  try {
    const at = cursor.parse(JSON.parse(Buffer.from(text, "base64url").toString()));
    if ((at.c !== undefined) === bySpend) return at;
  } catch {
    // Whatever is wrong with it, it is not one of ours.
  }
  throw badRequest("page: invalid page token");
}
