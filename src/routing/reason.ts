/** Why a target stands where it stands, as the response header and the metrics say it. ASCII without spaces. */
export type ReasonToken =
  /** By strategy. */
  | "order"
  | "turn"
  | "weight"
  | "least-busy"
  | "fastest"
  | "cheapest"
  | "nearest"
  /** By deployment. */
  | "primary"
  | "backup"
  | "cloud"
  /** The session's prompt cache is warm there. */
  | "affinity"
  /** A trial of a half-open circuit. */
  | "trial"
  /** It cannot be used, but everything else has failed or nothing else is there. */
  | "last-resort";
