import type { Balancer } from "./balancer.ts";
import { cheapest } from "./cheapest.ts";
import { geographic } from "./geographic.ts";
import { leastConnections } from "./least-connections.ts";
import { ordered } from "./ordered.ts";
import { responseTime } from "./response-time.ts";
import { roundRobin } from "./round-robin.ts";
import type { StrategyName } from "./strategy-name.ts";
import { weightedRandom } from "./weighted-random.ts";

/** Every strategy by its name in the configuration. */
export const BALANCERS: Readonly<Record<StrategyName, Balancer>> = {
  ordered,
  round_robin: roundRobin,
  weighted_random: weightedRandom,
  least_connections: leastConnections,
  response_time: responseTime,
  cheapest,
  geographic,
};
