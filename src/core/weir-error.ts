import { ERRORS, type ErrorCode, type ErrorRow } from "./error-codes.ts";

/** Extra facts that an error answer carries to the caller. */
export interface ErrorFacts {
  /** Seconds until a repeat can succeed; becomes the `retry-after` header. */
  readonly retryAfterSeconds?: number;
  /** Further response headers, such as the caller's own limit headers. */
  readonly headers?: Readonly<Record<string, string>>;
  /** What went wrong inside; logged, never sent. */
  readonly cause?: unknown;
}

/** An error with a row in the registry and a message that is safe to show to the caller. */
export class WeirError extends Error {
  readonly code: ErrorCode;
  readonly facts: ErrorFacts;

  constructor(code: ErrorCode, publicMessage: string, facts: ErrorFacts = {}) {
    super(publicMessage, facts.cause === undefined ? undefined : { cause: facts.cause });
    this.name = "WeirError";
    this.code = code;
    this.facts = facts;
  }

  get row(): ErrorRow {
    return ERRORS[this.code];
  }
}
