import type { Balancer } from "./balancer.ts";
import type { Candidate } from "./candidate.ts";
import { sortByScore } from "./sort-by-score.ts";
import { shareWords } from "./share-words.ts";

/**
 * By turns, in proportion to the weights and evenly interleaved (the smooth weighted round robin of nginx): each turn adds
 * every candidate's share to its credit, the richest goes first and pays the sum of all shares.
 */
export const roundRobin: Balancer = {
  name: "round_robin",
  token: "turn",
  ignoresShare: false,
  arrange(candidates) {
    for (const candidate of candidates) candidate.score = -(candidate.turn + candidate.share);
    sortByScore(candidates);
  },
  chosen(candidates, first) {
    const total = sumOfShares(candidates);
    for (const candidate of candidates) {
      const turn = candidate.turn + candidate.share - (candidate === first ? total : 0);
      // Sessions that stay with their cache choose against the turn; the credit of the others is not hoarded.
      candidate.turn = Math.max(-total, Math.min(total, turn));
    }
  },
  explain: (candidate) => `its turn stands at ${credit(candidate)}, ${shareWords(candidate)}`,
};

function sumOfShares(candidates: readonly Candidate[]): number {
  let total = 0;
  for (const { share } of candidates) total += share;
  return total;
}

function credit({ turn, share }: Candidate): string {
  return String(Math.round((turn + share) * 100) / 100);
}
