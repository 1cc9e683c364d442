/** Buckets per doubling: a quantile is at most 2^(1/8) - 1 = 9 % above the true value. */
const PER_OCTAVE = 8;
const BUCKETS = 40 * PER_OCTAVE;
/** Observations after which old ones count half, so that the sketch follows change. */
const HALF_LIFE = 256;

/** A forgetting histogram of positive numbers on a logarithmic scale; answers "what was rarely exceeded lately". */
export class QuantileSketch {
  readonly #counts = new Float32Array(BUCKETS);
  #total = 0;
  #sinceHalving = 0;

  /** How much evidence there is; decays with forgetting. */
  get weight(): number {
    return this.#total;
  }

  add(value: number): void {
    const index = bucketOf(value);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    if (++this.#sinceHalving >= HALF_LIFE) this.#halve();
  }

  /** The upper edge of the bucket that holds quantile `q` (0..1); 0 when nothing was seen. */
  quantile(q: number): number {
    if (this.#total <= 0) return 0;
    let left = this.#total * q;
    for (let i = 0; i < BUCKETS; i++) {
      left -= this.#counts[i] ?? 0;
      if (left <= 0) return upperEdge(i);
    }
    return upperEdge(BUCKETS - 1);
  }

  #halve(): void {
    this.#sinceHalving = 0;
    this.#total = 0;
    for (let i = 0; i < BUCKETS; i++) {
      const half = (this.#counts[i] ?? 0) / 2;
      const kept = half < 0.01 ? 0 : half;
      this.#counts[i] = kept;
      this.#total += kept;
    }
  }
}

function bucketOf(value: number): number {
  if (!(value > 1)) return 0;
  return Math.min(BUCKETS - 1, Math.ceil(Math.log2(value) * PER_OCTAVE));
}

function upperEdge(index: number): number {
  return index === 0 ? 1 : Math.ceil(2 ** (index / PER_OCTAVE));
}
