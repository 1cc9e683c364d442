import type { Candidate } from "../balance/candidate.ts";
import type { Scored } from "../balance/sort-by-score.ts";

/** The targets of a route in one cloud. Written anew by every plan, like the candidates in it. */
export class CloudGroup<C extends Candidate = Candidate> implements Scored {
  /** Null groups what belongs to no cloud, or everything when there is no deployment strategy. */
  readonly cloud: string | null;
  readonly position: number;
  readonly members: readonly C[];
  /** Those that can be used at this moment. */
  readonly usable: C[] = [];
  score = 0;
  /** Memory of round robin. */
  turn = 0;

  constructor(cloud: string | null, position: number, members: readonly C[]) {
    this.cloud = cloud;
    this.position = position;
    this.members = members;
  }

  /** The part of the cloud's weight that health leaves, from 0 to 1. */
  get healthShare(): number {
    let weight = 0;
    let share = 0;
    for (const { target } of this.members) weight += target.weight;
    for (const candidate of this.usable) share += candidate.share;
    return weight === 0 ? 1 : share / weight;
  }
}
