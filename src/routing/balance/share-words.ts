import type { Candidate } from "./candidate.ts";

/** `weight 40`, or `weight 4 of 40 while it recovers` when health takes part of it. */
export function shareWords({ share, target }: Candidate): string {
  const rounded = Math.round(share * 100) / 100;
  return rounded === target.weight ? `weight ${target.weight}` : `weight ${rounded} of ${target.weight} at present`;
}
