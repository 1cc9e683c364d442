import type { AlertMark } from "../../store/ports/spend-limits.ts";

/** Where budget alerts go: the log and a metric; mail, chat and pagers come with the channels of operations. */
export interface AlertSink {
  /** Resolves once the alert is handed over; one that rejects is tried again. `alertId` is the same at every try. */
  deliver(alert: AlertMark, alertId: string): Promise<void>;
}

/** The name of an alert, the same whichever process delivers it: receivers know a repetition by it. */
export function alertId({ scope, subjectId, window, windowStartMs, thresholdPercent }: AlertMark): string {
  return `${scope}/${subjectId}/${window}/${windowStartMs}/${thresholdPercent}`;
}
