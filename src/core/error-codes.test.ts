import { describe, expect, it } from "vitest";

import { ERRORS, type ErrorCode, type ErrorRow } from "./error-codes.ts";
import { WeirError } from "./weir-error.ts";

const rows: readonly [string, ErrorRow][] = Object.entries(ERRORS);

/** The statuses that the Messages API gives with each of its error types; Weir may add 4xx to `invalid_request_error`. */
const STATUS_OF: Readonly<Record<ErrorRow["type"], readonly number[]>> = {
  invalid_request_error: [400, 405, 414, 415],
  authentication_error: [401],
  permission_error: [403],
  not_found_error: [404],
  request_too_large: [413],
  rate_limit_error: [429],
  billing_error: [429],
  timeout_error: [504],
  api_error: [500, 502, 503],
  overloaded_error: [503, 529],
};

describe("ERRORS", () => {
  it.each(rows)("%s has a status that clients expect of its type, and a remedy", (code, row) => {
    expect(code).toMatch(/^weir:[a-z]+:[a-z_]+$/);
    expect(STATUS_OF[row.type]).toContain(row.status);
    expect(row.remedy).toMatch(/^[A-Z].+\.$|; .+\.$/);
  });

  it("stops the retries of clients wherever a repeat cannot help", () => {
    const refused = rows.filter(([, row]) => row.status < 429).map(([code]) => code);
    const retried = rows.filter(([, row]) => row.retry !== false).map(([code]) => code);

    expect(refused.filter((code) => retried.includes(code))).toEqual([]);
    expect(ERRORS["weir:budget:exceeded"].retry).toBe(false);
  });
});

describe("WeirError", () => {
  it("carries its row, its facts and its cause, and shows only the public message", () => {
    const code: ErrorCode = "weir:limit:requests";
    const cause = new Error("internal");
    const error = new WeirError(code, "Slow down.", { retryAfterSeconds: 3, cause });

    expect(error.row).toBe(ERRORS[code]);
    expect(error.message).toBe("Slow down.");
    expect(error.cause).toBe(cause);
    expect(error.facts.retryAfterSeconds).toBe(3);
    expect(error.name).toBe("WeirError");
  });
});
