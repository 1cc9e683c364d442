import { describe, expect, it } from "vitest";

import { noteFigure } from "../harness/figures.ts";
import { killUnderLoad } from "./kill-under-load.ts";

describe("Weir killed 50 times and PostgreSQL 20 times, under load", () => {
  it("lose none of at least 100,000 released responses, and write none twice", async () => {
    const report = await killUnderLoad({ weirKills: 50, postgresKills: 20, responses: 100_000 });
    expect(report).toMatchObject({ lost: 0, duplicates: 0 });
    expect(report.released).toBeGreaterThanOrEqual(100_000);
    noteFigure(1, "50 kills of Weir, 20 of PostgreSQL", { ...report });
  }, 3_600_000);
});
