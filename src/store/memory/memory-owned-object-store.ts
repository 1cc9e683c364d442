import type { OwnedObject, OwnedObjectStore } from "../ports/owned-objects.ts";
import { StoreError } from "../ports/store-error.ts";

type ListQuery = Parameters<OwnedObjectStore["list"]>[0];

/** Who owns which batch and file, in this process's memory: for tests and for running without a database. */
export class MemoryOwnedObjectStore implements OwnedObjectStore {
  readonly #objects = new Map<string, OwnedObject>();

  async add(object: OwnedObject): Promise<void> {
    const id = idOf(object.kind, object.id);
    const known = this.#objects.get(id);
    if (known === undefined) {
      this.#objects.set(id, { ...object });
    } else if (known.organizationId !== object.organizationId || known.keyId !== object.keyId) {
      throw new StoreError("duplicate", `recording ${object.kind} ${object.id}: somebody else owns it`);
    }
  }

  async get(kind: OwnedObject["kind"], id: string): Promise<OwnedObject | null> {
    return this.#objects.get(idOf(kind, id)) ?? null;
  }

  async list(query: ListQuery): Promise<readonly OwnedObject[]> {
    const own = [...this.#objects.values()].filter((object) => isOwn(object, query)).sort(newestFirst);
    if (query.afterId === undefined && query.beforeId === undefined) return own.slice(0, query.limit);
    const after = query.afterId === undefined ? -1 : own.findIndex((object) => object.id === query.afterId);
    const before = query.beforeId === undefined ? own.length : own.findIndex((object) => object.id === query.beforeId);
    if ((query.afterId !== undefined && after < 0) || before < 0) return [];
    const between = own.slice(after + 1, before);
    return query.afterId === undefined ? between.slice(-query.limit) : between.slice(0, query.limit);
  }

  async unsettledBatches(limit: number): Promise<readonly OwnedObject[]> {
    return [...this.#objects.values()]
      .filter((object) => object.kind === "batch" && object.settledAtMs === null)
      .sort((a, b) => newestFirst(b, a))
      .slice(0, limit);
  }

  async markSettled(id: string, atMs: number): Promise<void> {
    const object = this.#objects.get(idOf("batch", id));
    if (object?.settledAtMs === null) this.#objects.set(idOf("batch", id), { ...object, settledAtMs: atMs });
  }

  async remove(kind: OwnedObject["kind"], id: string): Promise<void> {
    this.#objects.delete(idOf(kind, id));
  }
}

function idOf(kind: OwnedObject["kind"], id: string): string {
  return `${kind} ${id}`;
}

function isOwn(object: OwnedObject, query: ListQuery): boolean {
  if (object.kind !== query.kind || object.organizationId !== query.organizationId) return false;
  if (query.userId !== null) return object.userId === query.userId;
  return object.userId === null && object.keyId === query.keyId;
}

function newestFirst(a: OwnedObject, b: OwnedObject): number {
  return b.createdAtMs - a.createdAtMs || (a.id < b.id ? 1 : -1);
}
