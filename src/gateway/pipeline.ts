import type { HistogramHandle } from "../telemetry/metrics/instruments.ts";
import type { Exchange } from "./exchange.ts";
import { ClientGone } from "./http/body-reader.ts";
import { publicError, sendError } from "./http/error-response.ts";
import type { GatewayServices } from "./services.ts";
import { admit } from "./stages/admit.ts";
import { attempt } from "./stages/attempt.ts";
import { decode } from "./stages/decode.ts";
import { identify } from "./stages/identify.ts";
import { limit } from "./stages/limit.ts";
import { plan } from "./stages/plan.ts";
import { queue } from "./stages/queue.ts";
import { receive } from "./stages/receive.ts";
import { relay } from "./stages/relay.ts";
import { settle } from "./stages/settle.ts";
import type { Stage } from "./stages/stage.ts";

/** The way of an exchange, in order. Documentation and traces read this same array; `settle` always runs, and once. */
export const STAGES: readonly Stage[] = [receive, identify, limit, queue, decode, admit, plan, attempt, relay, settle];

const WORK = STAGES.filter((stage) => stage !== settle);

/** Runs exchanges through the stages. */
export class Pipeline {
  readonly #services: GatewayServices;
  readonly #work: readonly { readonly stage: Stage; readonly time: HistogramHandle }[];
  readonly #settleTime: HistogramHandle;

  constructor(services: GatewayServices) {
    this.#services = services;
    this.#work = WORK.map((stage) => ({ stage, time: services.metrics.stage(stage.name) }));
    this.#settleTime = services.metrics.stage(settle.name);
  }

  /** Runs one exchange to its end, then calls `ended`. Detached: whatever goes wrong ends in the exchange's own answer. */
  run(exchange: Exchange, ended: () => void): void {
    void this.#run(exchange, ended);
  }

  async #run(exchange: Exchange, ended: () => void): Promise<void> {
    const { clock, metrics } = this.#services;
    metrics.begun();
    let at = clock.monotonicMs();
    try {
      for (const { stage, time } of this.#work) {
        const pending = stage.run(exchange, this.#services);
        if (pending !== undefined) await pending;
        const now = clock.monotonicMs();
        time.observe((now - at) / 1000);
        at = now;
      }
    } catch (error) {
      this.#refuse(exchange, error);
    }
    try {
      await settle.run(exchange, this.#services);
      this.#settleTime.observe((clock.monotonicMs() - at) / 1000);
    } catch (error) {
      this.#services.logger.error({ request_id: exchange.id, error: describe(error) }, "settling failed");
      exchange.response.destroy();
    }
    metrics.ended();
    ended();
  }

  /** Makes the error the answer. An exchange with an open record gives it only after it is settled. */
  #refuse(exchange: Exchange, error: unknown): void {
    if (error instanceof ClientGone || exchange.clientGone) return;
    const refusal = publicError(error);
    exchange.refusal = refusal;
    this.#services.metrics.refused(refusal.code);
    if (refusal.code === "weir:server:internal") {
      this.#services.logger.error({ request_id: exchange.id, error: describe(error) }, "internal error");
    }
    if (exchange.admitted === null) sendError(exchange, refusal);
  }
}

function describe(error: unknown): string {
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
