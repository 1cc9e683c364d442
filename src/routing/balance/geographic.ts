import type { Balancer } from "./balancer.ts";
import { sortByScore } from "./sort-by-score.ts";

/** To the nearest region, by declared distances and zones. */
export const geographic: Balancer = {
  name: "geographic",
  token: "nearest",
  ignoresShare: true,
  chosen: null,
  arrange(candidates, { clientRegion, distances }) {
    for (const candidate of candidates) candidate.score = distances.between(clientRegion, candidate.target.region);
    sortByScore(candidates);
  },
  explain: ({ target }, { clientRegion, distances }) => distances.words(clientRegion, target.region),
};
