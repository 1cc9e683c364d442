import type { Clock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import type { ProbeEnd } from "../routing/health/signal.ts";
import type { Router } from "../routing/router.ts";
import { sendProbe } from "../upstream/probe/send-probe.ts";
import type { ProbedUpstream } from "./upstream-set.ts";

const EVERY_MS = 1_000;
const TIMEOUT_MS = 5_000;

export interface ProberOptions {
  readonly router: Pick<Router, "dueProbes" | "probeBegun" | "probed">;
  readonly clock: Clock;
  readonly logger: Logger;
  /** The upstreams that may be probed now, with how. */
  readonly upstreams: () => readonly ProbedUpstream[];
  /** How often the router is asked what is due. */
  readonly everyMs?: number;
  readonly timeoutMs?: number;
}

/** Asks upstreams whether they are well when the router wants to know, and tells it. */
export class Prober implements Component {
  readonly name = "prober";
  readonly #options: ProberOptions;
  readonly #underWay = new Set<Promise<void>>();
  #stopping = new AbortController();
  #timer: NodeJS.Timeout | null = null;

  constructor(options: ProberOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#stopping = new AbortController();
    this.#timer = setInterval(() => this.#tick(), this.#options.everyMs ?? EVERY_MS).unref();
  }

  /** Ends the probes that are under way. */
  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#stopping.abort();
    await Promise.all(this.#underWay);
  }

  #tick(): void {
    const { router, clock, upstreams } = this.#options;
    const probed = new Map(upstreams().map((one) => [one.upstream.name, one]));
    for (const name of router.dueProbes(clock.monotonicMs(), new Set(probed.keys()))) {
      const one = probed.get(name);
      if (one === undefined) continue;
      const probe = this.#probe(one).finally(() => this.#underWay.delete(probe));
      this.#underWay.add(probe);
    }
  }

  /** Never rejects. */
  async #probe({ upstream, probe }: ProbedUpstream): Promise<void> {
    const { router, clock, logger } = this.#options;
    const { signal } = this.#stopping;
    const timeoutMs = this.#options.timeoutMs ?? TIMEOUT_MS;
    router.probeBegun(upstream.name, clock.monotonicMs());
    let end: ProbeEnd;
    try {
      end = judgeProbe((await sendProbe(upstream, probe, { signed: true, timeoutMs, signal })).status);
    } catch (error) {
      if (signal.aborted) return;
      end = { kind: "probe_failed", detail: error instanceof Error ? error.message : String(error) };
    }
    if (end.kind === "probe_failed") {
      logger.debug({ upstream: upstream.name, reason: end.detail }, "an upstream did not pass its probe");
    }
    router.probed(upstream.name, end, clock.monotonicMs());
  }
}

/**
 * What a probe's status says of the upstream. A 403 or 404 is about what the probe asks for, which the operator may not have been
 * granted, and a 429 about how often: none of them says that requests would fail.
 */
export function judgeProbe(status: number): ProbeEnd {
  const isFailure =
    status >= 500 || status < 200 || (status >= 300 && status < 400) || status === 401 || status === 407;
  return isFailure ? { kind: "probe_failed", detail: `status ${status}` } : { kind: "probe_ok" };
}
