import type { Config } from "../config/schema.ts";
import type { ControlRoutes } from "../control/control-api.ts";
import { otlpRoutes } from "../control/otlp/otlp-routes.ts";
import { OtlpMetrics } from "../telemetry/metrics/otlp-metrics.ts";
import { OtlpForwarder } from "../telemetry/otlp/otlp-forwarder.ts";

/** What clients' telemetry needs: its endpoints, the way to the collectors, and the counts of both. */
export class ClientTelemetry {
  readonly metrics = new OtlpMetrics();
  /** To be started and stopped with the rest. */
  readonly forwarder = new OtlpForwarder({ metrics: this.metrics });
  readonly routes: ControlRoutes = otlpRoutes({ sink: this.forwarder, metrics: this.metrics });

  configure({ telemetry }: Config): void {
    const { queue_bytes: queueBytes, timeout_ms: timeoutMs } = telemetry;
    this.forwarder.configure(telemetry.forward_to.map((collector) => ({ ...collector, queueBytes, timeoutMs })));
  }
}
