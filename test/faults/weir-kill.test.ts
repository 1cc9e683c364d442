import { describe, expect, it } from "vitest";

import { noteFigure } from "../harness/figures.ts";
import { killUnderLoad } from "./kill-under-load.ts";

describe("Weir and PostgreSQL, killed under load", () => {
  it("lose no row of a released response, write none twice, and settle what was open", async () => {
    const report = await killUnderLoad({ weirKills: 2, postgresKills: 1, responses: 1_500 });
    expect(report).toMatchObject({ lost: 0, duplicates: 0 });
    expect(report.released).toBeGreaterThanOrEqual(1_500);
    noteFigure(1, "2 kills of Weir, 1 of PostgreSQL", { ...report });
  }, 120_000);
});
