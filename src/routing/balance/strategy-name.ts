/** The ways in which targets can share requests. */
export type StrategyName =
  | "ordered"
  | "round_robin"
  | "weighted_random"
  | "least_connections"
  | "response_time"
  | "cheapest"
  | "geographic";
