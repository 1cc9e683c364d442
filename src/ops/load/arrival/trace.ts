/** One recorded request. */
export interface TracedRequest {
  readonly offsetMs: number;
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Share (0..1) of the prompt that an earlier request had sent already; null when the trace does not say. */
  readonly sharedPrefix: number | null;
}

/** Requests one by one, in order of their time. */
export interface RequestTrace {
  readonly kind: "requests";
  readonly name: string;
  readonly requests: readonly TracedRequest[];
}

/** Rates that hold until the next row; the last row holds as long as the one before it. */
export interface RateTrace {
  readonly kind: "rates";
  readonly name: string;
  /** Names of the clients whose rates are told apart; one without a name when the trace gives only the sum. */
  readonly clients: readonly string[];
  readonly rows: readonly { readonly fromMs: number; readonly perSecond: readonly number[] }[];
  readonly endMs: number;
}

export type Trace = RequestTrace | RateTrace;
