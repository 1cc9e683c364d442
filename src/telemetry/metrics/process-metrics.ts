import { collectDefaultMetrics, Registry } from "prom-client";

import { Instrument, type Labels } from "./instruments.ts";

export interface GaugeSample {
  readonly labels: Labels;
  readonly value: number;
}

/** A gauge that is read when somebody scrapes: one value, or one for each set of labels. */
export interface ReadGauge {
  readonly name: string;
  readonly help: string;
  read(): number | readonly GaugeSample[];
}

/** Everything that `/metrics` shows: hot-path instruments, gauges read on demand, and the process's own (prom-client). */
export class MetricsPage {
  readonly #instruments: readonly Instrument[];
  readonly #gauges: readonly ReadGauge[];
  readonly #process = new Registry();

  constructor(instruments: readonly Instrument[], gauges: readonly ReadGauge[]) {
    this.#instruments = instruments;
    this.#gauges = gauges;
    // Includes event-loop delay, garbage collection, memory and CPU.
    collectDefaultMetrics({ register: this.#process });
  }

  readonly contentType = "text/plain; version=0.0.4; charset=utf-8";

  async render(): Promise<string> {
    const own = this.#instruments.map((instrument) => instrument.render());
    const gauges = this.#gauges.map(renderGauge);
    return [...own, ...gauges, await this.#process.metrics()].join("");
  }
}

function renderGauge(gauge: ReadGauge): string {
  const value = gauge.read();
  const instrument = new Instrument({ name: gauge.name, help: gauge.help, kind: "gauge" });
  const samples = typeof value === "number" ? [{ labels: {}, value }] : value;
  for (const sample of samples) instrument.slot(sample.labels).set(sample.value);
  return instrument.render();
}
