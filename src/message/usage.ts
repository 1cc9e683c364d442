/** Tokens and billable units of one answer, as the Messages API counts them. All are non-negative integers. */
export interface Usage {
  inputTokens: number;
  outputTokens: number;
  cacheWrite5mTokens: number;
  cacheWrite1hTokens: number;
  cacheReadTokens: number;
  webSearchRequests: number;
  /** `standard`, `priority`, `batch`, or null when the answer did not say. */
  serviceTier: string | null;
  /** `fast` or `standard`, or null when the answer did not say. */
  speed: string | null;
  /** Where inference ran, for example `us`; null when the answer did not say. */
  inferenceGeo: string | null;
}

/** How a usage figure is known: `reported` by the upstream, `partial` (an answer that was cut), `estimated` by Weir. */
export type UsageSource = "reported" | "partial" | "estimated";

/** A usage record with every count at zero. */
export function emptyUsage(): Usage {
  return {
    inputTokens: 0,
    outputTokens: 0,
    cacheWrite5mTokens: 0,
    cacheWrite1hTokens: 0,
    cacheReadTokens: 0,
    webSearchRequests: 0,
    serviceTier: null,
    speed: null,
    inferenceGeo: null,
  };
}
