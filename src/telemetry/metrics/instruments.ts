/**
 * Instruments for the hot path: one slot in a typed array each, so that counting costs nanoseconds. Handles are bound to
 * their labels once; text is made only when somebody scrapes.
 */

/** A counter or gauge bound to its labels. */
export interface Slot {
  add(amount: number): void;
  set(value: number): void;
}

/** A histogram bound to its labels. */
export interface HistogramHandle {
  observe(value: number): void;
}

export type Labels = Readonly<Record<string, string>>;

interface Sample {
  readonly labels: string;
  readonly values: Float64Array;
}

export type InstrumentKind = "counter" | "gauge" | "histogram";

/** A metric with its samples. Label values beyond `maxSeries` go to one series whose labels all read `other`. */
export class Instrument {
  readonly name: string;
  readonly help: string;
  readonly kind: InstrumentKind;
  readonly buckets: readonly number[];
  readonly #samples = new Map<string, Sample>();
  readonly #maxSeries: number;

  constructor(options: {
    name: string;
    help: string;
    kind: InstrumentKind;
    buckets?: readonly number[];
    maxSeries?: number;
  }) {
    this.name = options.name;
    this.help = options.help;
    this.kind = options.kind;
    this.buckets = options.buckets ?? [];
    this.#maxSeries = options.maxSeries ?? 2_000;
  }

  /** The counter or gauge for these labels. */
  slot(labels: Labels): Slot {
    const { values } = this.#sample(labels, 1);
    return {
      add: (amount) => {
        values[0] = (values[0] ?? 0) + amount;
      },
      set: (value) => {
        values[0] = value;
      },
    };
  }

  /** The histogram for these labels: one slot a bucket, then the overflow, then the sum. */
  histogram(labels: Labels): HistogramHandle {
    const { buckets } = this;
    const overflow = buckets.length;
    const { values } = this.#sample(labels, overflow + 2);
    return {
      observe: (value) => {
        let at = 0;
        while (at < overflow && value > (buckets[at] ?? Infinity)) at++;
        values[at] = (values[at] ?? 0) + 1;
        values[overflow + 1] = (values[overflow + 1] ?? 0) + value;
      },
    };
  }

  /** The text exposition format of Prometheus (0.0.4). */
  render(): string {
    const lines = [`# HELP ${this.name} ${this.help}`, `# TYPE ${this.name} ${this.kind}`];
    for (const sample of this.#samples.values()) {
      if (this.kind === "histogram") this.#renderHistogram(sample, lines);
      else lines.push(`${this.name}${braced(sample.labels)} ${sample.values[0] ?? 0}`);
    }
    return `${lines.join("\n")}\n`;
  }

  #renderHistogram({ labels, values }: Sample, lines: string[]): void {
    const prefix = labels === "" ? "" : `${labels},`;
    let total = 0;
    for (const [i, bound] of this.buckets.entries()) {
      total += values[i] ?? 0;
      lines.push(`${this.name}_bucket{${prefix}le="${bound}"} ${total}`);
    }
    total += values[this.buckets.length] ?? 0;
    lines.push(`${this.name}_bucket{${prefix}le="+Inf"} ${total}`);
    lines.push(`${this.name}_sum${braced(labels)} ${values[this.buckets.length + 1] ?? 0}`);
    lines.push(`${this.name}_count${braced(labels)} ${total}`);
  }

  #sample(labels: Labels, size: number): Sample {
    const key = labelText(labels);
    const known = this.#samples.get(key);
    if (known !== undefined) return known;
    if (this.#samples.size >= this.#maxSeries) return this.#overflowSample(labels, size);
    const sample: Sample = { labels: key, values: new Float64Array(size) };
    this.#samples.set(key, sample);
    return sample;
  }

  #overflowSample(labels: Labels, size: number): Sample {
    const key = labelText(Object.fromEntries(Object.keys(labels).map((name) => [name, "other"])));
    const known = this.#samples.get(key);
    if (known !== undefined) return known;
    const sample: Sample = { labels: key, values: new Float64Array(size) };
    this.#samples.set(key, sample);
    return sample;
  }
}

function labelText(labels: Labels): string {
  return Object.entries(labels)
    .map(([name, value]) => `${name}="${escaped(value)}"`)
    .join(",");
}

function escaped(value: string): string {
  return value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n");
}

function braced(labels: string): string {
  return labels === "" ? "" : `{${labels}}`;
}
