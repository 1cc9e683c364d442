import type { RouteTarget } from "../target.ts";
import { PeakEwma } from "./peak-ewma.ts";
import type { Scored } from "./sort-by-score.ts";

/** What goes on at a target now, over all routes. */
export class TargetActivity {
  inFlight = 0;
  readonly latency = new PeakEwma();
}

/**
 * A target while a route is planned. Lives as long as its list of targets and is written anew by every plan: planning is
 * synchronous and one at a time, so nothing has to be allocated for it.
 */
export class Candidate implements Scored {
  readonly target: RouteTarget;
  /** Place in the configuration's order, from 0. */
  readonly position: number;
  readonly activity: TargetActivity;
  /** Weight times what health leaves of it, at this moment. */
  share = 0;
  /** What the strategy orders by, lowest first. */
  score = 0;
  /** Memory of round robin. */
  turn = 0;

  constructor(target: RouteTarget, position: number, activity: TargetActivity) {
    this.target = target;
    this.position = position;
    this.activity = activity;
  }
}
