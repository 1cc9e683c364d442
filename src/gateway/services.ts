import type { Clock } from "../core/clock.ts";
import type { IdGenerator } from "../core/id.ts";
import type { Logger } from "../core/logger.ts";
import type { KeyRing } from "../identity/key-ring.ts";
import type { SessionRing } from "../identity/tokens/session-ring.ts";
import type { BudgetBook } from "../ledger/budgets/budget-book.ts";
import type { CostForecaster } from "../ledger/budgets/cost-forecaster.ts";
import type { Journal } from "../ledger/journal/journal.ts";
import type { TagBook } from "../policy/budget/tag-book.ts";
import type { RatePolicy } from "../policy/rate/rate-policy.ts";
import type { RunawayWatch } from "../policy/runaway/runaway-watch.ts";
import type { OverloadGate } from "../routing/overload/overload-gate.ts";
import type { Router } from "../routing/router.ts";
import type { OwnedObjectStore } from "../store/ports/owned-objects.ts";
import type { AccessLog } from "../telemetry/access-log.ts";
import type { GatewayMetrics } from "../telemetry/metrics/gateway-metrics.ts";
import type { ControlHandler } from "./control-handler.ts";
import type { StreamKeeper } from "./relay/stream-keeper.ts";
import type { Snapshot } from "./snapshot.ts";

/** What the stages work with. Built once in `app/`. */
export interface GatewayServices {
  readonly clock: Clock;
  /** Wall-clock time for budget windows: checked against the monotonic clock. */
  readonly windowClock: Clock;
  readonly ids: IdGenerator;
  readonly logger: Logger;
  readonly accessLog: AccessLog;
  readonly keys: KeyRing;
  /** Who signed in. */
  readonly sessions: SessionRing;
  readonly rate: RatePolicy;
  readonly budgets: BudgetBook;
  readonly forecaster: CostForecaster;
  readonly tags: TagBook;
  /** Which sessions are paused because they ran away. */
  readonly runaway: RunawayWatch;
  readonly router: Router;
  readonly overload: OverloadGate;
  readonly journal: Journal;
  readonly metrics: GatewayMetrics;
  readonly streams: StreamKeeper;
  readonly objects: OwnedObjectStore;
  readonly health: HealthReport;
  /** Sign-in and administration on the data port. */
  readonly control: ControlHandler;
  /** The present configuration; an exchange keeps the one that it began with. */
  snapshot(): Snapshot;
}

/** What readiness depends on: nothing is ready until every check says so. */
export interface HealthReport {
  /** Whether the process is ending; new exchanges are refused. */
  readonly draining: boolean;
  /** Names of the checks that fail now, with why. */
  failures(): readonly { readonly check: string; readonly reason: string }[];
  /** Facts for people who need no key to ask: version, mode, uptime. Nothing about files or accounts. */
  describe(): Readonly<Record<string, unknown>>;
}
