import { countWords } from "../words.ts";
import type { Balancer } from "./balancer.ts";
import { sortByScore } from "./sort-by-score.ts";
import { shareWords } from "./share-words.ts";

/** To whom would be least busy with one request more, for its weight. */
export const leastConnections: Balancer = {
  name: "least_connections",
  token: "least-busy",
  ignoresShare: false,
  chosen: null,
  arrange(candidates) {
    for (const candidate of candidates) {
      candidate.score = candidate.share > 0 ? (candidate.activity.inFlight + 1) / candidate.share : Infinity;
    }
    sortByScore(candidates);
  },
  explain: (candidate) => `${countWords(candidate.activity.inFlight, "request")} under way, ${shareWords(candidate)}`,
};
