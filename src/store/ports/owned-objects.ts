/** Batches and files live at the provider; Weir keeps who owns each, so that a caller sees only their own. */
export interface OwnedObject {
  readonly id: string;
  readonly kind: "batch" | "file";
  readonly organizationId: string;
  readonly keyId: string;
  readonly userId: string | null;
  /** Name of the upstream that holds it. */
  readonly target: string;
  readonly createdAtMs: number;
  /** For a batch: set once its results have been metered. */
  readonly settledAtMs: number | null;
}

export interface OwnedObjectStore {
  /** Adding the same object again changes nothing; one that somebody else owns is a `StoreError` `duplicate`. */
  add(object: OwnedObject): Promise<void>;
  get(kind: OwnedObject["kind"], id: string): Promise<OwnedObject | null>;
  /**
   * Newest first: those of the user, or, where the key has no user, those of the key. `afterId` starts after that object,
   * `beforeId` ends before it (giving the `limit` objects nearest to it); an id that the caller does not own gives nothing.
   */
  list(query: {
    kind: OwnedObject["kind"];
    organizationId: string;
    keyId: string;
    userId: string | null;
    limit: number;
    afterId?: string;
    beforeId?: string;
  }): Promise<readonly OwnedObject[]>;
  /** Batches whose results have not been metered yet, oldest first. */
  unsettledBatches(limit: number): Promise<readonly OwnedObject[]>;
  /** Sets a batch's `settledAtMs` unless it is set. */
  markSettled(id: string, atMs: number): Promise<void>;
  remove(kind: OwnedObject["kind"], id: string): Promise<void>;
}
