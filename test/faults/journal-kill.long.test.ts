/** Promises 1 and 3, the journal's part, over 50 kills; see journal-kill.test.ts. */
import { afterEach, describe, expect, it } from "vitest";

import { cleanUp } from "./journal-fixtures.ts";
import { killAndCheck } from "./journal-kill.ts";

afterEach(cleanUp);

describe("a process killed 50 times while it opens, settles, ships, rotates and deletes", () => {
  it("loses nothing acknowledged, doubles nothing, invents nothing, over at least 100,000 entries", async () => {
    const counts = Array.from({ length: 50 }, () => 2_000 + Math.ceil(Math.random() * 1_000));
    const checked = await killAndCheck(counts);
    process.stdout.write(`journal: 0 lost of ${checked} acknowledged entries over 50 kills\n`);
    expect(checked).toBeGreaterThanOrEqual(100_000);
  }, 1_800_000);
});
