import type { Clock } from "../../core/clock.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { Urgency } from "../../routing/plan.ts";
import type { OverloadGate } from "../../routing/overload/overload-gate.ts";
import { shedWords, type OverloadRequest, type Shed, type Ticket } from "../../routing/overload/overload-request.ts";
import { required, type Exchange } from "../exchange.ts";
import { ClientGone } from "../http/body-reader.ts";
import type { Stage } from "./stage.ts";

export const queue: Stage = {
  name: "queue",
  summary:
    "A place to run: at once, or after a fair wait when the process is busy; 529 before waiting stops making sense",
  run(exchange, { overload, clock }) {
    const place = new Place(exchange, overload, clock);
    const entrance = overload.enter(place, clock.monotonicMs());
    if (entrance.kind === "shed") throw overloaded(entrance);
    if (entrance.kind === "queued") return place.wait(entrance.ticket);
    exchange.place = place;
    return undefined;
  },
};

/** An exchange's place among those that run, from `enter` to `leave`. */
export class Place implements OverloadRequest {
  readonly organization: string;
  readonly urgency: Urgency;
  readonly deadlineAtMs = Infinity;
  readonly #exchange: Exchange;
  readonly #gate: OverloadGate;
  readonly #clock: Clock;
  #resolve: () => void = () => {};
  #reject: (error: Error) => void = () => {};

  constructor(exchange: Exchange, gate: OverloadGate, clock: Clock) {
    this.organization = required(exchange.identity, "identity").principal.organizationId;
    this.urgency = urgencyOf(exchange);
    this.#exchange = exchange;
    this.#gate = gate;
    this.#clock = clock;
  }

  /** Resolves when its turn has come. Rejects with WeirError when it is refused meanwhile, with ClientGone when its client leaves. */
  wait(ticket: Ticket): Promise<void> {
    this.#exchange.onClientGone = this.#left.bind(this, ticket);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  admitted(): void {
    this.#exchange.onClientGone = null;
    this.#exchange.place = this;
    this.#resolve();
  }

  shed(shed: Shed): void {
    this.#exchange.onClientGone = null;
    this.#reject(overloaded(shed));
  }

  /** The exchange is over; another may have the place. */
  leave(): void {
    this.#gate.leave(this.urgency, this.#clock.monotonicMs());
  }

  #left(ticket: Ticket): void {
    this.#gate.cancel(ticket, this.#clock.monotonicMs());
    this.#reject(new ClientGone());
  }
}

/** CI's keys give way to people; any caller may say that it can wait. */
export function urgencyOf(exchange: Exchange): Urgency {
  if (exchange.header("x-weir-urgency") === "batch") return "batch";
  return exchange.identity?.principal.keyClass === "ci" ? "batch" : "interactive";
}

function overloaded({ reason, retryAfterMs }: Shed): WeirError {
  return new WeirError("weir:server:overloaded", `Weir is overloaded: ${shedWords(reason)}.`, {
    retryAfterSeconds: Math.ceil(retryAfterMs / 1_000),
  });
}
