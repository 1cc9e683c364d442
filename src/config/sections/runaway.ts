import { z } from "zod";

import { durationMs } from "../fields/number.ts";
import { positiveUsd } from "../fields/usd.ts";

/** Pauses sessions that burn money faster than their own history explains. */
export const runaway = z
  .strictObject({
    enabled: z.boolean().default(true).describe("Whether sessions that run away are paused."),
    window_ms: durationMs(10_000)
      .default(300_000)
      .describe("Length of the windows in which a session's spending is measured, in milliseconds."),
    floor_usd: positiveUsd()
      .default(10)
      .describe("A session that spends less than this within a window is never paused, in US dollars."),
    own_factor: z
      .number()
      .min(6)
      .max(1000)
      .default(10)
      .describe(
        "How many times its own usual window (the upper quartile of its last 24 with spending) a session may spend in one.",
      ),
    organization_factor: z
      .number()
      .min(1)
      .max(1000)
      .default(3)
      .describe(
        "How many times the dearest usual window of its organisation (99th percentile) a session may spend in one.",
      ),
    min_windows: z
      .int()
      .min(4)
      .max(24)
      .default(6)
      .describe("Windows with spending that a session must have behind it before its history says anything."),
  })
  .prefault({})
  .describe(
    "Pauses a session that suddenly burns money, as an agent in a loop does: `weir session list` shows it, `weir session resume` lets it go on.",
  );
