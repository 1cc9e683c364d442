/**
 * Why a store could not do what was asked:
 * - `duplicate`: a record with this identity (or, for a key, this secret) exists already;
 * - `unknown_reference`: it names an organisation, team, user or key that does not exist (in the same organisation);
 * - `unavailable`: the store cannot be reached or is overloaded; the same call may succeed later.
 */
export type StoreErrorKind = "duplicate" | "unknown_reference" | "unavailable";

/** A failure that callers are expected to handle. Anything else that a store throws is a defect. */
export class StoreError extends Error {
  readonly kind: StoreErrorKind;

  constructor(kind: StoreErrorKind, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "StoreError";
    this.kind = kind;
  }
}
