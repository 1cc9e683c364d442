import { describe, expect, it } from "vitest";

import { WeirError } from "../../core/weir-error.ts";
import { checkRunaway, type RunawayWatch } from "./runaway-watch.ts";

const PAUSE = {
  organizationId: "org_1",
  sessionId: "ses_1",
  atMs: 0,
  spentMicroUsd: 25_004_999,
  usualMicroUsd: 1_250_000,
  windowMs: 300_000,
};
const watch: RunawayWatch = {
  observe: () => {},
  pauseOf: (organizationId, sessionId) => (organizationId === "org_1" && sessionId === "ses_1" ? PAUSE : null),
};

describe("a request of a paused session", () => {
  it("is refused with 403, not to be repeated, saying what happened and what to do", () => {
    let refusal: unknown;
    try {
      checkRunaway(watch, "org_1", "ses_1");
    } catch (error) {
      refusal = error;
    }
    if (!(refusal instanceof WeirError)) throw new Error("not refused");
    expect(refusal.row).toMatchObject({ status: 403, type: "permission_error", retry: false });
    expect(refusal.message).toContain("spent $25.00 within 5 minutes and usually spends $1.25");
    expect(refusal.message).toContain("weir session resume ses_1");
  });

  it.each([
    ["org_1", "ses_2"],
    ["org_2", "ses_1"],
    ["org_1", null],
  ])("and no other request is refused (%s, %s)", (organizationId, sessionId) => {
    expect(() => checkRunaway(watch, organizationId, sessionId)).not.toThrow();
  });
});
