import type { TelemetryEnv } from "./managed-policies.ts";

/** Which signals some collector wants. */
export interface WantedSignals {
  readonly metrics: boolean;
  readonly logs: boolean;
  readonly traces: boolean;
}

/**
 * The variables that make Claude Code send its telemetry here. Empty where there is no collector, or where Weir does not know
 * the address that clients use.
 */
export function telemetryEnv(publicUrl: string | null, destinations: readonly WantedSignals[]): TelemetryEnv {
  if (publicUrl === null || destinations.length === 0) return {};
  const exporter = (signal: keyof WantedSignals): string =>
    destinations.some((destination) => destination[signal]) ? "otlp" : "none";
  return {
    CLAUDE_CODE_ENABLE_TELEMETRY: "1",
    OTEL_METRICS_EXPORTER: exporter("metrics"),
    OTEL_LOGS_EXPORTER: exporter("logs"),
    OTEL_TRACES_EXPORTER: exporter("traces"),
    OTEL_EXPORTER_OTLP_ENDPOINT: publicUrl.replace(/\/$/, ""),
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
  };
}
