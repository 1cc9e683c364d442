/** The kinds of telemetry that OTLP knows. */
export const OTLP_SIGNALS = ["metrics", "logs", "traces"] as const;
export type OtlpSignal = (typeof OTLP_SIGNALS)[number];

/** One export of a client, as it came. */
export interface OtlpExport {
  readonly signal: OtlpSignal;
  /** `application/x-protobuf` or `application/json`; what else a client sent stands here as it is. */
  readonly contentType: string;
  /** `gzip` or another coding in which `body` still is; null for none. */
  readonly contentEncoding: string | null;
  readonly body: Buffer;
  readonly organizationId: string;
  readonly userId: string | null;
  readonly keyId: string;
}

/** Who gets what clients send. */
export interface OtlpSink {
  /** Takes an export. Returns at once and never throws: telemetry must not slow down or break anything. */
  accept(received: OtlpExport): void;
}
