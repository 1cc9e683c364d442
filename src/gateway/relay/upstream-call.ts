import type { IncomingHttpHeaders } from "node:http";

import type { Dispatcher } from "undici";

import { WeirError } from "../../core/weir-error.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { emptyUsage } from "../../message/usage.ts";
import type { Target } from "../../routing/route-table.ts";
import { required, type Exchange } from "../exchange.ts";
import type { GatewayServices } from "../services.ts";
import { BufferRelay } from "./buffer-relay.ts";
import type { Relay } from "./relay.ts";
import { StreamRelay } from "./stream-relay.ts";

/** How an attempt began: its answer is being relayed, or it failed and another target may be tried. */
export type AttemptHead = { readonly kind: "relaying" } | { readonly kind: "failed"; readonly error: Error };

/** Statuses that say something about the upstream, not about the request: another target may do better. */
function isUpstreamsFault(status: number): boolean {
  return status >= 500 || status === 429 || status === 401 || status === 403 || status === 404;
}

/** One attempt: receives undici's calls and hands the answer to a relay once it is decided that the client gets it. */
export class UpstreamCall implements Dispatcher.DispatchHandler {
  readonly head: Promise<AttemptHead>;
  readonly #exchange: Exchange;
  readonly #services: GatewayServices;
  readonly #attempt: { target: Target; attempts: number; mayFailOver: boolean };
  #resolve: (head: AttemptHead) => void = () => {};
  #controller: Dispatcher.DispatchController | null = null;
  #relay: Relay | null = null;
  #failure: Error | null = null;

  constructor(
    exchange: Exchange,
    services: GatewayServices,
    attempt: { target: Target; attempts: number; mayFailOver: boolean },
  ) {
    this.#exchange = exchange;
    this.#services = services;
    this.#attempt = attempt;
    this.head = new Promise((resolve) => (this.#resolve = resolve));
  }

  onRequestStart(controller: Dispatcher.DispatchController): void {
    this.#controller = controller;
    if (this.#exchange.clientGone) controller.abort(new Error("client gone"));
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: IncomingHttpHeaders): void {
    if (status < 200) return;
    const { target, attempts, mayFailOver } = this.#attempt;
    if (status >= 300 && status < 400) {
      this.#fail(controller, `the upstream answered with a redirect (${status}), which is not followed`);
      return;
    }
    if (status === 401) {
      // The caller's key was good; it is Weir's own credential that the upstream refuses.
      this.#fail(controller, "the upstream refused Weir's own credential (401)");
      return;
    }
    if (mayFailOver && isUpstreamsFault(status)) {
      this.#fail(controller, `status ${status}`);
      return;
    }
    const answer = { target, attempts, head: { status, headers, controller } };
    const type = headers["content-type"];
    const streams =
      typeof type === "string" && type.startsWith("text/event-stream") && this.#exchange.rewriteAnswer === null;
    this.#relay = streams
      ? new StreamRelay(this.#exchange, this.#services, answer)
      : new BufferRelay(this.#exchange, this.#services, answer);
    this.#exchange.relay = this.#relay;
    this.#resolve({ kind: "relaying" });
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    this.#relay?.data(chunk);
  }

  onResponseEnd(): void {
    this.#relay?.end();
    if (this.#failure !== null) this.#resolve({ kind: "failed", error: this.#failure });
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    if (this.#relay !== null) this.#relay.fail(error);
    else this.#resolve({ kind: "failed", error: this.#failure ?? error });
  }

  /** The client went away: the upstream is told at once, by closing its connection. */
  clientGone(): void {
    if (this.#relay !== null) this.#relay.clientGone();
    else this.#leftBeforeAnswer();
    this.#controller?.abort(new Error("client gone"));
  }

  #fail(controller: Dispatcher.DispatchController, why: string): void {
    this.#failure = new WeirError("weir:upstream:failed", why);
    controller.abort(this.#failure);
  }

  /** The request had been sent and no answer had begun: the provider has read the input, and charges for it. */
  #leftBeforeAnswer(): void {
    const usage = emptyUsage();
    usage.inputTokens = CostForecaster.estimateInputTokens(required(this.#exchange.body, "body").length);
    this.#exchange.result = {
      status: 499,
      outcome: "client_gone",
      usage,
      usageSource: "estimated",
      target: this.#attempt.target,
      attempts: this.#attempt.attempts,
      upstreamRequestId: null,
      firstTokenAtMs: null,
      errorType: null,
    };
  }
}
