import { WeirError } from "../../core/weir-error.ts";

/** Runs something on the store of owned objects; its failure becomes a 503 that says what could not be done. */
export async function stored<T>(what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw storeUnavailable(`Weir cannot ${what} at the moment; try again.`, error);
  }
}

export function storeUnavailable(message: string, cause: unknown): WeirError {
  // The registry has no code of its own for "the database is away"; this one has the same status and the same remedy.
  return new WeirError("weir:server:store_unavailable", message, { cause, retryAfterSeconds: 5 });
}
