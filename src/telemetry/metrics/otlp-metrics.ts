import type { OtlpSignal } from "../otlp/otlp-sink.ts";
import { Instrument } from "./instruments.ts";

/** What became of one export of a client. */
export type ReceivedOutcome = "accepted" | "too_large" | "broken_off";
/** What became of one export on its way to a collector. */
export type ForwardOutcome = "delivered" | "refused" | "failed" | "dropped";

/** Counts of the telemetry that clients send and collectors get. */
export class OtlpMetrics {
  readonly #received = new Instrument({
    name: "weir_otlp_received_total",
    help: "Exports of clients' telemetry, by signal and what became of them.",
    kind: "counter",
  });
  readonly #receivedBytes = new Instrument({
    name: "weir_otlp_received_bytes_total",
    help: "Bytes of clients' telemetry that were accepted, by signal.",
    kind: "counter",
  });
  readonly #forwarded = new Instrument({
    name: "weir_otlp_forwarded_total",
    help: "Exports for collectors, by host of the collector, signal and what became of them.",
    kind: "counter",
  });
  readonly instruments: readonly Instrument[] = [this.#received, this.#receivedBytes, this.#forwarded];

  received(signal: OtlpSignal, outcome: ReceivedOutcome, bytes: number): void {
    this.#received.slot({ signal, outcome }).add(1);
    this.#receivedBytes.slot({ signal }).add(bytes);
  }

  forwarded(collector: string, signal: OtlpSignal, outcome: ForwardOutcome): void {
    this.#forwarded.slot({ collector, signal, outcome }).add(1);
  }
}
