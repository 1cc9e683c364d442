import { isIP } from "node:net";

import { Agent, request } from "undici";

import type { Component } from "../../core/component.ts";
import type { OtlpMetrics } from "../metrics/otlp-metrics.ts";
import { collectorLookup, isMetadataAddress } from "./collector-lookup.ts";
import { Collector, type CollectorSettings, type SendToCollector } from "./collector.ts";
import type { OtlpExport, OtlpSink } from "./otlp-sink.ts";

/** How long exports may still go out when Weir stops. */
const DRAIN_MS = 2_000;

/**
 * Passes clients' telemetry on to the configured collectors, as it came. Best effort: each collector has a bounded queue of its
 * own, nothing is repeated, and nobody waits for it.
 */
export class OtlpForwarder implements OtlpSink, Component {
  readonly name = "telemetry forwarding";
  readonly #metrics: OtlpMetrics;
  readonly #send: SendToCollector;
  readonly #agent: Agent;
  readonly #stopping = new AbortController();
  #collectors: readonly Collector[] = [];

  constructor({ metrics, send }: { metrics: OtlpMetrics; send?: SendToCollector }) {
    this.#metrics = metrics;
    this.#agent = new Agent({ connect: { lookup: collectorLookup } });
    this.#send = send ?? sendBy(this.#agent);
  }

  /** Takes other collectors from now on; what waits for the former ones still goes out. */
  configure(collectors: readonly CollectorSettings[]): void {
    const parts = { send: this.#send, metrics: this.#metrics, stopping: this.#stopping.signal };
    this.#collectors = collectors.map((settings) => new Collector(settings, parts));
  }

  accept(received: OtlpExport): void {
    for (const collector of this.#collectors) collector.accept(received);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    const drained = Promise.all(this.#collectors.map((collector) => collector.drained()));
    const timer = setTimeout(() => this.#stopping.abort(), DRAIN_MS);
    await drained;
    clearTimeout(timer);
    await this.#agent.destroy();
  }
}

function sendBy(agent: Agent): SendToCollector {
  return async ({ url, headers, body, signal }) => {
    // Sockets resolve names only: an address that stands in the URL itself is judged here.
    const host = new URL(url).hostname.replace(/^\[(.*)\]$/, "$1");
    if (isIP(host) !== 0 && isMetadataAddress(host)) throw new Error(`${host} is a metadata service`);
    const answer = await request(url, { method: "POST", headers, body, signal, dispatcher: agent });
    await answer.body.dump();
    return answer.statusCode;
  };
}
