import { attemptTimeouts } from "../attempt-timeouts.ts";
import { refusal, type Rule } from "./rule.ts";

/** A total below the wait for the first byte would end an attempt that was told to wait. */
export const totalCoversFirstByte: Rule = ({ config: { timeouts } }) => {
  const { interactive, batch } = attemptTimeouts(timeouts);
  const pairs = [
    [interactive, ["timeouts"]],
    [batch, ["timeouts", "batch"]],
  ] as const;
  return pairs.flatMap(([{ firstByteMs, totalMs }, path]) => {
    if (firstByteMs <= totalMs) return [];
    return [
      refusal("total_too_short", [...path, "upstream_total_ms"], {
        message: `upstream_total_ms is ${totalMs}, below upstream_ttfb_ms, which is ${firstByteMs}`,
        fix: "Raise upstream_total_ms, or lower upstream_ttfb_ms.",
      }),
    ];
  });
};
