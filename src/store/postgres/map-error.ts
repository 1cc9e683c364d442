import { StoreError } from "../ports/store-error.ts";

const UNIQUE_VIOLATION = "23505";
const FOREIGN_KEY_VIOLATION = "23503";
const SERIALIZATION_FAILURE = "40001";
const DEADLOCK_DETECTED = "40P01";

/** Connection failures, insufficient resources, operator intervention (PostgreSQL's classes 08, 53, 57) and read-only servers. */
const UNAVAILABLE_STATES = /^(?:08|53|57|25006|58)/;
const NETWORK_CODES = new Set([
  "ECONNREFUSED",
  "ECONNRESET",
  "EPIPE",
  "ENOENT",
  "ENOTFOUND",
  "EAI_AGAIN",
  "ETIMEDOUT",
  "EHOSTUNREACH",
  "ENETUNREACH",
]);
/** What node-postgres says, without a code, when a connection or its time is lost. */
const LOST_CONNECTION = /connection terminated|timeout|not queryable|connection error|closed/i;

/** The SQLSTATE or system code of an error, or an empty text. */
function sqlState(error: unknown): string {
  return error instanceof Error && "code" in error && typeof error.code === "string" ? error.code : "";
}

/** Whether the same transaction, run again, can succeed at once. */
export function isTransientConflict(error: unknown): boolean {
  return [SERIALIZATION_FAILURE, DEADLOCK_DETECTED].includes(sqlState(error));
}

/** Data that does not fit its column, or lacks what the table requires (SQLSTATE classes 22 and 23). */
export function isDataError(error: unknown): boolean {
  return /^2[23]/.test(sqlState(error));
}

/** What the callers of a store expect, or the error itself where it is a defect. `what` names the attempted operation. */
function mapError(error: unknown, what: string): unknown {
  const state = sqlState(error);
  const detail = error instanceof Error ? error.message : String(error);
  if (state === UNIQUE_VIOLATION) return new StoreError("duplicate", `${what}: it exists already`, error);
  if (state === FOREIGN_KEY_VIOLATION) {
    return new StoreError("unknown_reference", `${what}: it refers to something that does not exist`, error);
  }
  const lost = state === "" && LOST_CONNECTION.test(detail);
  if (lost || UNAVAILABLE_STATES.test(state) || NETWORK_CODES.has(state) || isTransientConflict(error)) {
    return new StoreError("unavailable", `${what}: PostgreSQL is not available (${detail})`, error);
  }
  return error;
}

/** Runs a store's operation with its errors mapped. */
export async function mapped<T>(what: string, operation: () => Promise<T>): Promise<T> {
  try {
    return await operation();
  } catch (error) {
    throw mapError(error, what);
  }
}
