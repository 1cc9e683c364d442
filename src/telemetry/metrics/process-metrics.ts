import { collectDefaultMetrics, Registry } from "prom-client";

import type { Instrument } from "./instruments.ts";

/** A gauge that is read when somebody scrapes. */
export interface ReadGauge {
  readonly name: string;
  readonly help: string;
  read(): number;
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
    const gauges = this.#gauges.map(
      (gauge) => `# HELP ${gauge.name} ${gauge.help}\n# TYPE ${gauge.name} gauge\n${gauge.name} ${gauge.read()}\n`,
    );
    return [...own, ...gauges, await this.#process.metrics()].join("");
  }
}
