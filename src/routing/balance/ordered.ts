import type { Balancer } from "./balancer.ts";
import { sortByScore } from "./sort-by-score.ts";

/** As the configuration lists them: the first takes everything as long as it can. */
export const ordered: Balancer = {
  name: "ordered",
  token: "order",
  ignoresShare: true,
  chosen: null,
  arrange(candidates) {
    for (const candidate of candidates) candidate.score = candidate.position;
    sortByScore(candidates);
  },
  explain: ({ position }) => `listed ${ordinal(position + 1)}`,
};

const ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth"];

function ordinal(place: number): string {
  return ORDINALS[place - 1] ?? `as number ${place}`;
}
