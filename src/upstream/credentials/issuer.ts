/** A value that lets requests through for a while. */
export interface Issued<T> {
  readonly value: T;
  /** When it ends, milliseconds since the epoch; null when it does not end by itself. */
  readonly expiresAtMs: number | null;
  /** How long it may be used before it is asked for again, where its end does not say so. */
  readonly renewAfterMs?: number;
}

/** Where a credential's value comes from: a token endpoint, a metadata service, a file. */
export interface Issuer<T> {
  /** What it is, as it stands in a sentence: `AWS credentials of the default chain`. */
  readonly what: string;
  /** What to do when it fails, as a sentence. */
  readonly fix: string;
  /** Secrets that must not come to light in a message. */
  readonly secrets: readonly string[];
  /** Obtains a new value, never one from a cache of its own. Throws with whatever the cause is. */
  issue(signal: AbortSignal): Promise<Issued<T>>;
}

/** A failure to obtain a value, with a message that is safe for callers to see. */
export class IssueError extends Error {
  /** What else the operator should know; scrubbed before it is logged. */
  readonly detail: string;

  constructor(safeMessage: string, detail = "") {
    super(safeMessage);
    this.name = "IssueError";
    this.detail = detail;
  }
}
