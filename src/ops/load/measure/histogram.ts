/** Below this many microseconds every value has a bucket of its own; above, each doubling is cut in half as many buckets. */
const EXACT_BELOW_US = 256;
const PER_DOUBLING = EXACT_BELOW_US / 2;
const SHIFT_OF_DOUBLING = Math.log2(PER_DOUBLING);
const MAX_US = 0xffff_ffff;
const BUCKETS = 25 * PER_DOUBLING + PER_DOUBLING;

/** A quantile differs from the true one by at most this share of it (and by half a microsecond of rounding). */
export const RELATIVE_ERROR = 1 / (2 * PER_DOUBLING);

/** The non-empty buckets of a histogram; plain data, so that it crosses threads and fits in a JSON report. */
export interface SparseHistogram {
  /** Bucket numbers, ascending. */
  readonly buckets: readonly number[];
  readonly counts: readonly number[];
  readonly sumUs: number;
  readonly minUs: number;
  readonly maxUs: number;
}

/**
 * A histogram of durations from 1 microsecond to 71 minutes in fixed memory (26 KB), on a log-linear scale: linear within
 * a doubling, so the relative error is the same everywhere. Longer durations count in the last bucket; the maximum is exact.
 */
export class Histogram {
  readonly #counts = new Float64Array(BUCKETS);
  #total = 0;
  #sumUs = 0;
  #minUs = Infinity;
  #maxUs = 0;

  get count(): number {
    return this.#total;
  }

  get minMs(): number {
    return this.#total === 0 ? 0 : this.#minUs / 1000;
  }

  get maxMs(): number {
    return this.#maxUs / 1000;
  }

  get meanMs(): number {
    return this.#total === 0 ? 0 : this.#sumUs / this.#total / 1000;
  }

  /** Records a duration in milliseconds. Negative ones (a clock's rounding) count as zero. */
  record(ms: number): void {
    const us = ms > 0 ? Math.round(ms * 1000) : 0;
    const index = bucketOf(us);
    this.#counts[index] = (this.#counts[index] ?? 0) + 1;
    this.#total += 1;
    this.#sumUs += us;
    if (us < this.#minUs) this.#minUs = us;
    if (us > this.#maxUs) this.#maxUs = us;
  }

  /** The value that a share `q` (0..1) of the recorded ones does not exceed, nearest rank, in ms; 0 when empty. */
  quantileMs(q: number): number {
    if (this.#total === 0) return 0;
    // The subtraction keeps 0.07 × 100 = 7.000000000000001 at rank 7.
    const rank = Math.min(this.#total, Math.max(1, Math.ceil(q * this.#total - 1e-9)));
    let seen = 0;
    for (let index = 0; index < BUCKETS; index++) {
      seen += this.#counts[index] ?? 0;
      if (seen >= rank) return Math.min(this.#maxUs, Math.max(this.#minUs, middleUs(index))) / 1000;
    }
    return this.maxMs;
  }

  add(other: SparseHistogram): void {
    for (let i = 0; i < other.buckets.length; i++) {
      const index = other.buckets[i] ?? 0;
      const count = other.counts[i] ?? 0;
      this.#counts[index] = (this.#counts[index] ?? 0) + count;
      this.#total += count;
    }
    this.#sumUs += other.sumUs;
    if (other.buckets.length === 0) return;
    this.#minUs = Math.min(this.#minUs, other.minUs);
    this.#maxUs = Math.max(this.#maxUs, other.maxUs);
  }

  toSparse(): SparseHistogram {
    const buckets: number[] = [];
    const counts: number[] = [];
    if (this.#total > 0) {
      for (let index = bucketOf(this.#minUs); index <= bucketOf(this.#maxUs); index++) {
        const count = this.#counts[index] ?? 0;
        if (count > 0) {
          buckets.push(index);
          counts.push(count);
        }
      }
    }
    return { buckets, counts, sumUs: this.#sumUs, minUs: this.#total === 0 ? 0 : this.#minUs, maxUs: this.#maxUs };
  }

  clear(): void {
    if (this.#total > 0) this.#counts.fill(0, bucketOf(this.#minUs), bucketOf(this.#maxUs) + 1);
    this.#total = 0;
    this.#sumUs = 0;
    this.#minUs = Infinity;
    this.#maxUs = 0;
  }

  static from(sparse: SparseHistogram): Histogram {
    const histogram = new Histogram();
    histogram.add(sparse);
    return histogram;
  }
}

/** Whether `index` names a bucket: reports come from files and must be checked. */
export function isBucket(index: number): boolean {
  return Number.isInteger(index) && index >= 0 && index < BUCKETS;
}

/** The edges of a bucket in milliseconds, for drawing: values v with `fromMs` ≤ v < `toMs`. */
export function bucketEdgesMs(index: number): { readonly fromMs: number; readonly toMs: number } {
  const { lowUs, widthUs } = edges(index);
  return { fromMs: lowUs / 1000, toMs: (lowUs + widthUs) / 1000 };
}

function bucketOf(us: number): number {
  if (us < EXACT_BELOW_US) return us;
  const bounded = us > MAX_US ? MAX_US : us;
  const shift = 31 - Math.clz32(bounded) - SHIFT_OF_DOUBLING;
  return shift * PER_DOUBLING + (bounded >>> shift);
}

function edges(index: number): { lowUs: number; widthUs: number } {
  if (index < EXACT_BELOW_US) return { lowUs: index, widthUs: 1 };
  const widthUs = 2 ** (Math.floor(index / PER_DOUBLING) - 1);
  return { lowUs: ((index % PER_DOUBLING) + PER_DOUBLING) * widthUs, widthUs };
}

function middleUs(index: number): number {
  const { lowUs, widthUs } = edges(index);
  return lowUs + (widthUs - 1) / 2;
}
