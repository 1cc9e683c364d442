import { Candidate } from "../balance/candidate.ts";
import { CloudGroup } from "../deployment/cloud-group.ts";
import { cloudsOf } from "../deployment/cloud-order.ts";
import type { Standing } from "../health/health-record.ts";
import type { PlannedTarget } from "../plan.ts";
import type { ReasonToken } from "../reason.ts";
import type { DeploymentSettings } from "../settings.ts";
import type { RouteTarget } from "../target.ts";
import type { RuntimeBook } from "./runtime-book.ts";
import type { TargetRuntime } from "./target-runtime.ts";

/** A target of one route, with what is remembered of it and where it stands in the plan being made. */
export class RouteCandidate extends Candidate {
  readonly runtime: TargetRuntime;
  standing: Standing = "usable";
  /** A recovering target that lost the draw: behind the others this time. */
  isHeldBack = false;
  token: ReasonToken = "order";
  /** Its cloud in this route. */
  group: CloudGroup<RouteCandidate> | null = null;
  readonly #planned: Partial<Record<ReasonToken, PlannedTarget>> = {};

  constructor(target: RouteTarget, position: number, runtime: TargetRuntime) {
    super(target, position, runtime.activity);
    this.runtime = runtime;
  }

  /** The same object each time, so that a plan allocates none. */
  planned(reason: ReasonToken): PlannedTarget {
    return (this.#planned[reason] ??= { target: this.target, reason });
  }
}

/** A route's targets as planning wants them. Made once for a list of targets; the lists within are written by every plan. */
export class PreparedRoute {
  /** Of the deployment's clouds. */
  readonly candidates: readonly RouteCandidate[];
  /** Of other clouds: never asked. */
  readonly excluded: readonly RouteTarget[];
  readonly groups: readonly CloudGroup<RouteCandidate>[];
  /** Groups with a usable target, in the order to ask them. */
  readonly asked: CloudGroup<RouteCandidate>[] = [];
  /** The usable ones in the order to try, and the rest, the most hopeful first. */
  readonly line: RouteCandidate[] = [];
  readonly rest: RouteCandidate[] = [];

  constructor(targets: readonly RouteTarget[], book: RuntimeBook, deployment: DeploymentSettings) {
    const clouds = cloudsOf(deployment);
    const isIn = ({ cloud }: RouteTarget): boolean => clouds === null || (cloud !== null && clouds.includes(cloud));
    this.candidates = targets
      .filter(isIn)
      .map((target, position) => new RouteCandidate(target, position, book.target(target)));
    this.excluded = targets.filter((target) => !isIn(target));
    this.groups =
      clouds === null
        ? [new CloudGroup(null, 0, this.candidates)]
        : clouds.map(
            (cloud, i) =>
              new CloudGroup(
                cloud,
                i,
                this.candidates.filter(({ target }) => target.cloud === cloud),
              ),
          );
    for (const group of this.groups) for (const candidate of group.members) candidate.group = group;
  }

  find(key: string): RouteCandidate | null {
    for (const candidate of this.candidates) if (candidate.target.key === key) return candidate;
    return null;
  }
}
