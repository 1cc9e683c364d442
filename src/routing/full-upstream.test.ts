import { describe, expect, it } from "vitest";

import { RetryProgress } from "./retry/retry-progress.ts";
import { request, routerFor, target } from "./testing/route-fixtures.ts";

const A = target("a", { maxConcurrent: 1 });
const B = target("b");
const BOTH = [A, B];

function begin(router: ReturnType<typeof routerFor>, at: typeof A) {
  return router.begun({ target: at, reason: "order" }, 0);
}

describe("an upstream with as many requests as it may have at once", () => {
  it("is asked last, until one of them is over", () => {
    const router = routerFor(BOTH);
    const attempt = begin(router, A);
    const plan = router.plan(request(BOTH));
    expect(plan.targets.map(({ target: { upstream } }) => upstream)).toEqual(["b"]);
    expect(plan.lastResort.map(({ target: { upstream } }) => upstream)).toEqual(["a"]);

    router.ended(attempt, { kind: "ok", latencyMs: 1 }, 1);
    expect(router.plan(request(BOTH)).targets.map(({ target: { upstream } }) => upstream)).toEqual(["a", "b"]);
  });

  it("says so", () => {
    const router = routerFor(BOTH);
    begin(router, A);
    const [, full] = router.explain(request(BOTH)).targets;
    expect(full).toMatchObject({ upstream: "a", use: "last_resort", standing: "full", health: "healthy" });
    expect(full?.because[0]).toBe("full: it may have 1 request at once");
  });

  it("is no place to fail over to while another is left", () => {
    const C = target("c");
    const all = [B, A, C];
    const router = routerFor(all);
    const plan = router.plan(request(all));
    const [first] = plan.targets;
    if (first === undefined) throw new Error("there are targets");
    const failed = router.begun(first, 0);
    begin(router, A);
    const failure = { kind: "status", status: 503, retryAfterMs: null } as const;
    router.ended(failed, failure, 1);
    const step = router.nextStep(plan, new RetryProgress(first), { failure, relayed: false }, 1);
    expect(step).toMatchObject({ kind: "failover", target: { target: { upstream: "c" } } });
  });
});
