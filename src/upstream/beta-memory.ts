/** How long a refusal is remembered: clouds learn betas, and nobody tells Weir when. */
const REMEMBERED_MS = 3_600_000;
/** Models of one upstream, and betas of one model, that are remembered; beyond it the oldest is forgotten. */
const MAX_MODELS = 200;
const MAX_BETAS = 64;

interface ModelBetas {
  /** Refused, and when that ends to count. */
  readonly refused: Map<string, number>;
  readonly taken: Set<string>;
}

/** Which betas an upstream has refused, and which it has taken, by model: regions and models differ, and no table keeps up. */
export class BetaMemory {
  readonly #models = new Map<string, ModelBetas>();

  /** Those that the model is known to refuse there now. */
  refused(model: string, nowMs: number): ReadonlySet<string> {
    const known = this.#models.get(model);
    if (known === undefined || known.refused.size === 0) return NONE;
    for (const [beta, untilMs] of known.refused) if (untilMs <= nowMs) known.refused.delete(beta);
    return new Set(known.refused.keys());
  }

  /** Of betas of a request that was refused for one of them: those that may be it, as they were never taken yet. */
  suspects(model: string, betas: readonly string[]): readonly string[] {
    const taken = this.#models.get(model)?.taken;
    const unknown = betas.filter((beta) => taken?.has(beta) !== true);
    return unknown.length > 0 ? unknown : betas;
  }

  /** A request with these was refused for them. */
  noteRefused(model: string, betas: readonly string[], nowMs: number): void {
    const known = this.#of(model);
    for (const beta of betas) {
      known.taken.delete(beta);
      known.refused.delete(beta);
      known.refused.set(beta, nowMs + REMEMBERED_MS);
    }
    shrink(known.refused, MAX_BETAS);
  }

  /** A request with these was answered. */
  noteTaken(model: string, betas: readonly string[]): void {
    if (betas.length === 0) return;
    const { taken } = this.#of(model);
    for (const beta of betas) if (taken.size < MAX_BETAS) taken.add(beta);
  }

  #of(model: string): ModelBetas {
    const known = this.#models.get(model);
    if (known !== undefined) return known;
    const created: ModelBetas = { refused: new Map(), taken: new Set() };
    this.#models.set(model, created);
    shrink(this.#models, MAX_MODELS);
    return created;
  }
}

const NONE: ReadonlySet<string> = new Set();

function shrink(map: Map<string, unknown>, max: number): void {
  for (const key of map.keys()) {
    if (map.size <= max) return;
    map.delete(key);
  }
}
