import { LoadError } from "../load-error.ts";
import type { BodyMix } from "../plan/load-plan.ts";
import { parseNumber, parseSizeBytes } from "../plan/units.ts";

export const MIN_BODY_BYTES = 2048;
export const MAX_BODY_BYTES = 4 * 1024 * 1024;

/** What a byte of an agent's JSON costs: about four to a token. Our assumption for turning traced tokens into sizes. */
const BYTES_PER_TOKEN = 4;
/** Traced sizes are rounded to steps of an eighth of a doubling, so that few distinct bodies have to be kept. */
const STEPS_PER_DOUBLING = 8;

/** `mix`: sizes of an agent's session, from its first question to a long history. Our assumption. */
const SESSION_MIX = "2k:20,8k:20,32k:25,100k:25,250k:8,500k:2";

/** Reads `2k,100k`, `2k:3,100k:1` (weights) or `mix`. Throws LoadError. */
export function parseBodyMix(text: string): BodyMix {
  const items = text
    .split(",")
    .flatMap((item) => (item.trim().toLowerCase() === "mix" ? SESSION_MIX.split(",") : [item]));
  const sizes = items.map((item) => {
    const [size = "", weight] = item.split(":");
    return {
      bytes: parseSizeBytes(size, "--body"),
      weight: weight === undefined ? 1 : parseNumber(weight, "--body"),
    };
  });
  if (sizes.length > 100) throw new LoadError("usage", `--body names ${sizes.length} sizes`, "Name at most 100.");
  return { label: text.trim(), sizes };
}

/** The size of a body for a traced prompt. */
export function bytesForTokens(tokens: number): number {
  const steps = Math.round(Math.log2(Math.max(1, tokens * BYTES_PER_TOKEN)) * STEPS_PER_DOUBLING);
  return Math.min(MAX_BODY_BYTES, Math.max(MIN_BODY_BYTES, Math.round(2 ** (steps / STEPS_PER_DOUBLING))));
}
