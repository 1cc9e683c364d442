import { SpendAdmin } from "../ledger/budgets/spend-admin.ts";
import { BudgetAlerts } from "../ledger/budgets/budget-alerts.ts";
import type { BudgetBook } from "../ledger/budgets/budget-book.ts";
import { spendLimitRoutes, type SpendFacts } from "../control/spend-limits/spend-limit-routes.ts";
import { SpendReader } from "../control/spend-limits/spend-reader.ts";
import { usageRoute } from "../control/spend-limits/usage-route.ts";
import type { SignedInPerson } from "../control/spend-limits/admin-access.ts";
import type { ControlRoutes } from "../control/control-api.ts";
import type { AuditTrail } from "../core/audit-act.ts";
import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { IdGenerator } from "../core/id.ts";
import type { Logger } from "../core/logger.ts";
import { WeirError } from "../core/weir-error.ts";
import { looksLikeToken } from "../identity/tokens/access-token.ts";
import type { SessionRing } from "../identity/tokens/session-ring.ts";
import type { DirectoryStore } from "../store/ports/directory.ts";
import type { SpendLimitStore } from "../store/ports/spend-limits.ts";
import type { UsageStore } from "../store/ports/usage.ts";
import { limitsInForce } from "../ledger/budgets/configured-limits.ts";
import { LoggedAlerts } from "./logged-alerts.ts";
import { type SpendControl, spendFeed } from "./spend-control.ts";
import { SpendPruning } from "./spend-pruning.ts";

export interface SpendWiring {
  readonly spend: SpendControl;
  readonly store: {
    readonly directory: DirectoryStore;
    readonly spendLimits: SpendLimitStore;
    readonly usage: UsageStore;
  };
  readonly book: BudgetBook;
  readonly sessions: SessionRing;
  readonly audit: AuditTrail;
  readonly ids: IdGenerator;
  readonly clock: Clock;
  /** The clock that decides windows. */
  readonly windowClock: Clock;
  readonly logger: Logger;
}

/** What stands around the budgets of the hot path: the admin API, the caller's own usage, alerts and forgetting. */
export function spendParts(wiring: SpendWiring): {
  readonly routes: readonly ControlRoutes[];
  readonly components: readonly Component[];
  readonly alerts: LoggedAlerts;
} {
  const { spend, store, book, audit, ids, clock, windowClock, logger } = wiring;
  const { spendLimits: limits, directory, usage } = store;
  const alerts = new LoggedAlerts(logger);
  const limitRoutes = spendLimitRoutes({
    admin: new SpendAdmin({ limits, directory, audit, ids, clock }),
    store: limits,
    reader: new SpendReader({ usage, book, clock: windowClock }),
    clock: windowClock,
    personOf: (token) => personOf(token, wiring),
    facts: () => factsOf(spend),
    fresh: () => freshFacts(wiring),
  });
  const timeZoneOf = (organizationId: string): string => spend.timeZoneOf(organizationId);
  return {
    routes: [limitRoutes, usageRoute({ book, clock: windowClock })],
    components: [
      new BudgetAlerts({ book, store: limits, sink: alerts, clock: windowClock, logger, timeZoneOf }),
      new SpendPruning({ store: limits, clock, logger, settings: () => spend.config.admin }),
    ],
    alerts,
  };
}

function factsOf({ reading, limits, config }: SpendControl): SpendFacts {
  const { directory, spend } = reading;
  return { directory, spend, limits, settings: config.admin ?? null };
}

/** The same, read from the database now: a change is visible to the next call, also before the feed has told of it. */
async function freshFacts({ spend, store, windowClock }: SpendWiring): Promise<SpendFacts> {
  const reading = await spendFeed(store, () => windowClock.nowMs()).load();
  const { config } = spend;
  const limits = limitsInForce(config, reading.directory, reading.spend);
  return { directory: reading.directory, spend: reading.spend, limits, settings: config.admin ?? null };
}

/** Whoever signed in, by their session token. Keys are no persons: they carry no groups. */
async function personOf(token: string, { sessions, clock }: SpendWiring): Promise<SignedInPerson | null> {
  if (!looksLikeToken(token)) return null;
  try {
    const { principal, groups } = sessions.authenticate(token, clock.nowMs());
    return { organizationId: principal.organizationId, subject: principal.userId ?? principal.keyId, groups };
  } catch (error) {
    if (error instanceof WeirError) return null;
    throw error;
  }
}
