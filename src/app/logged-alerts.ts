import { formatUsd } from "../core/money.ts";
import type { Logger } from "../core/logger.ts";
import type { AlertSink } from "../ledger/budgets/alert-sink.ts";
import type { AlertMark } from "../store/ports/spend-limits.ts";
import { Instrument } from "../telemetry/metrics/instruments.ts";

/** Budget alerts as lines of the log and a counter: what every installation has. */
export class LoggedAlerts implements AlertSink {
  readonly instrument = new Instrument({
    name: "weir_budget_alerts_total",
    help: "Budget alerts, by the share of the limit that was passed and the kind of payer.",
    kind: "counter",
  });
  readonly #logger: Logger;

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  async deliver(alert: AlertMark, alertId: string): Promise<void> {
    const { organizationId, scope, subjectId, window, thresholdPercent } = alert;
    this.instrument.slot({ threshold: String(thresholdPercent), scope }).add(1);
    this.#logger.warn(
      {
        alert: alertId,
        organization: organizationId,
        scope,
        subject: subjectId,
        window,
        window_start: new Date(alert.windowStartMs).toISOString(),
        threshold_percent: thresholdPercent,
        limit_usd: formatUsd(alert.limitMicroUsd),
        spent_usd: formatUsd(alert.spentMicroUsd),
      },
      "budget alert",
    );
  }
}
