import type { Balancer } from "./balancer.ts";
import { sortByScore } from "./sort-by-score.ts";
import { shareWords } from "./share-words.ts";

/**
 * By lot, in proportion to the weights. Each candidate draws an exponential time with its share as the rate; the order of the
 * times is a weighted permutation (Efraimidis and Spirakis 2006), so that failover is shared by weight as well.
 */
export const weightedRandom: Balancer = {
  name: "weighted_random",
  token: "weight",
  ignoresShare: false,
  chosen: null,
  arrange(candidates, { random }) {
    for (const candidate of candidates) candidate.score = lot(candidate.share, random());
    sortByScore(candidates);
  },
  explain: (candidate) => `drew its place with ${shareWords(candidate)}`,
};

/** A draw for a share, lowest first; a share of nothing comes after all others. */
export function lot(share: number, draw: number): number {
  return share > 0 ? -Math.log(1 - draw) / share : Infinity;
}
