import type { Clock } from "../../core/clock.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { BudgetBook, BudgetStanding } from "../../ledger/budgets/budget-book.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import type { ControlRoutes } from "../control-api.ts";

const MICRO_PER_CENT = 10_000;
/** What a limit shows that still admits: full is what refuses. */
const MOST_BEFORE_FULL = 0.99;

const GROUP = { day: "daily", week: "weekly", month: "monthly", total: "total" } as const satisfies Record<
  BudgetWindow,
  string
>;

export interface UsageParts {
  readonly book: BudgetBook;
  /** The clock that decides windows. */
  readonly clock: Clock;
}

/** `GET /api/oauth/usage`: how full the caller's limits are, as Claude Code's `/usage` shows it. Amounts are cents. */
export function usageRoute(parts: UsageParts): ControlRoutes {
  return (app) => {
    app.get("/api/oauth/usage", async (request, reply) => {
      const { identity } = request.call;
      if (identity === null) throw new WeirError("weir:auth:missing", "No key or token was sent.");
      return reply.header("cache-control", "no-store").send(usageOf(identity, parts));
    });
  };
}

/** The answer, as data. */
export function usageOf(identity: Identity, { book, clock }: UsageParts): Record<string, unknown> {
  const { timeZone } = identity.organization;
  const atMs = clock.nowMs();
  const standings = book.standings(identity.path, timeZone, atMs);
  const [first] = standings;
  if (first === undefined) return unlimited(identity, { book, timeZone, atMs });
  const binding = standings.reduce((kept, next) => (binds(next, kept) ? next : kept), first);
  return {
    extra_usage: {
      is_enabled: true,
      monthly_limit: Math.floor(binding.limitMicroUsd / MICRO_PER_CENT),
      used_credits: Math.floor(binding.counter.spent / MICRO_PER_CENT),
      utilization: percentOf(binding),
      currency: "USD",
    },
    limits: standings.map((standing) => ({
      kind: "spend",
      group: GROUP[standing.budget.window],
      scope: standing.budget.scope,
      percent: percentOf(standing),
      resets_at: Number.isFinite(standing.counter.endMs) ? new Date(standing.counter.endMs).toISOString() : null,
      severity: severityOf(standing),
      is_active: standing === binding,
    })),
  };
}

/** Nobody limits the caller: what was spent is shown all the same. */
function unlimited(
  identity: Identity,
  { book, timeZone, atMs }: { book: BudgetBook; timeZone: string; atMs: number },
): Record<string, unknown> {
  const payer = identity.principal.userId ?? identity.principal.keyId;
  const cents = (window: BudgetWindow): number =>
    Math.floor(book.spent(payer, window, { timeZone, atMs }) / MICRO_PER_CENT);
  const none = { limit: null, utilization: null };
  return {
    extra_usage: {
      is_enabled: true,
      monthly_limit: null,
      used_credits: cents("month"),
      utilization: null,
      currency: "USD",
      daily: { ...none, used_credits: cents("day") },
      weekly: { ...none, used_credits: cents("week") },
    },
    limits: [],
  };
}

/** Which of two limits the caller meets first; of two that are met, the one that lasts longer. */
function binds(next: BudgetStanding, kept: BudgetStanding): boolean {
  if (isFull(next) !== isFull(kept)) return isFull(next);
  if (isFull(next)) return next.counter.endMs > kept.counter.endMs;
  return shareOf(next) > shareOf(kept);
}

/** The share really spent: what running requests hold comes back to a person who looks a moment later. */
function shareOf({ counter, limitMicroUsd }: BudgetStanding): number {
  return limitMicroUsd > 0 ? counter.spent / limitMicroUsd : 1;
}

function isFull(standing: BudgetStanding): boolean {
  return shareOf(standing) >= 1;
}

function percentOf(standing: BudgetStanding): number {
  const share = Math.round(shareOf(standing) * 100) / 100;
  return Math.round((isFull(standing) ? share : Math.min(share, MOST_BEFORE_FULL)) * 100);
}

function severityOf(standing: BudgetStanding): "normal" | "warning" | "critical" {
  const share = shareOf(standing);
  if (isFull(standing) || share > 0.95) return "critical";
  return share > 0.75 ? "warning" : "normal";
}
