import type { RequestPlan } from "../plan/load-plan.ts";
import type { Random } from "../random.ts";
import { weightedIndex } from "../arrival/schedule.ts";
import { RequestTemplate } from "./request-template.ts";

/** The bodies of a run: one template a size, made when it is first wanted. */
export class BodyStore {
  readonly #plan: RequestPlan;
  readonly #seed: number;
  readonly #weights: readonly number[];
  readonly #totalWeight: number;
  readonly #templates = new Map<number, RequestTemplate>();

  constructor(plan: RequestPlan, seed: number) {
    this.#plan = plan;
    this.#seed = seed;
    this.#weights = plan.body.sizes.map(({ weight }) => weight);
    this.#totalWeight = this.#weights.reduce((sum, weight) => sum + weight, 0);
    // A template of 500 KB takes milliseconds: not while requests are due.
    for (const { bytes } of plan.body.sizes) this.ofSize(bytes);
  }

  ofSize(bytes: number): RequestTemplate {
    const known = this.#templates.get(bytes);
    if (known !== undefined) return known;
    const { model, stream } = this.#plan;
    const template = new RequestTemplate({ bytes, model, stream, seed: this.#seed });
    this.#templates.set(bytes, template);
    return template;
  }

  /** One of the plan's sizes, by weight. */
  pick(random: Random): RequestTemplate {
    const { sizes } = this.#plan.body;
    const index = sizes.length === 1 ? 0 : weightedIndex(this.#weights, this.#totalWeight, random);
    return this.ofSize(sizes[index]?.bytes ?? 0);
  }
}
