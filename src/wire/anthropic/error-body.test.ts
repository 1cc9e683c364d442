import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { errorBody, errorHeaders } from "./error-body.ts";

describe("errorBody", () => {
  it("is the Messages API's envelope, with Weir's own code and remedy inside the error", () => {
    const error = new WeirError("weir:model:unknown", 'model: "odd"\n');

    expect(JSON.parse(errorBody(error, "req_1"))).toEqual({
      type: "error",
      error: {
        type: "not_found_error",
        message: 'model: "odd"\n',
        code: "weir:model:unknown",
        remedy: "GET /v1/models lists what is served.",
      },
      request_id: "req_1",
    });
  });

  it("tells nothing of the cause", () => {
    const error = new WeirError("weir:upstream:failed", "No answer.", { cause: new Error("10.0.0.7 refused") });

    expect(errorBody(error, "req_1")).not.toContain("10.0.0.7");
  });
});

describe("errorHeaders", () => {
  it.each([
    [0, "1"],
    [0.2, "1"],
    [59.01, "60"],
    [3_600, "3600"],
  ])("rounds %d s of waiting up to retry-after: %s", (retryAfterSeconds, header) => {
    const error = new WeirError("weir:limit:requests", "Slow down.", { retryAfterSeconds });

    expect(errorHeaders(error)).toEqual({ "retry-after": header });
  });

  it("says whether to try again only where the registry does", () => {
    expect(errorHeaders(new WeirError("weir:auth:missing", "No key."))).toEqual({ "x-should-retry": "false" });
    expect(errorHeaders(new WeirError("weir:server:internal", "Oops."))).toEqual({});
  });

  it("carries the headers of the error", () => {
    const error = new WeirError("weir:request:method_not_allowed", "No.", { headers: { allow: "GET" } });

    expect(errorHeaders(error)).toEqual({ allow: "GET", "x-should-retry": "false" });
  });
});
