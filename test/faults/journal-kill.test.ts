/**
 * Promises 1 and 3, the journal's part: nothing acknowledged is lost to SIGKILL and nothing comes twice. The long variant
 * kills 50 times. Losing power is another matter, which no test on one machine can show: see journal-crash.test.ts.
 */
import { afterEach, describe, expect, it } from "vitest";

import { cleanUp } from "./journal-fixtures.ts";
import { killAndCheck } from "./journal-kill.ts";

afterEach(cleanUp);

describe("a process killed while it opens, settles, ships, rotates and deletes", () => {
  it("given 4 kills at random moments, loses nothing acknowledged, doubles nothing, invents nothing", async () => {
    const counts = [1, 100, 300, 1000].map((most) => Math.ceil(Math.random() * most));
    expect(await killAndCheck(counts)).toBeGreaterThanOrEqual(counts.reduce((sum, count) => sum + count));
  }, 120_000);
});
