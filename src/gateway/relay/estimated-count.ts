import { emptyUsage } from "../../message/usage.ts";
import { estimateCount } from "../../wire/anthropic/count-estimate.ts";
import { required, type Exchange } from "../exchange.ts";
import { ownHeaders } from "./answer-headers.ts";
import type { Relay } from "./relay.ts";

const NOBODY_COUNTS = {
  field: "input_tokens",
  message: "is an estimate by Weir: no upstream of this model counts tokens",
};

/**
 * Weir's own answer to a question for the number of tokens, where no upstream of the model can count. A refusal would be
 * asked again and again (Claude Code re-sends a 400 six times); an estimate that says what it is serves the purpose.
 */
export class EstimatedCount implements Relay {
  readonly done = Promise.resolve();
  readonly #exchange: Exchange;

  constructor(exchange: Exchange) {
    this.#exchange = exchange;
    exchange.warnings = [...(exchange.clientCall?.warnings ?? []), NOBODY_COUNTS];
    exchange.result = {
      status: 200,
      outcome: "complete",
      usage: emptyUsage(),
      usageSource: "estimated",
      target: null,
      attempts: 0,
      upstreamRequestId: null,
      firstTokenAtMs: null,
      errorType: null,
    };
  }

  data(): void {}
  end(): void {}
  fail(): void {}
  clientGone(): void {}

  release(): void {
    const exchange = this.#exchange;
    const { id, response, clientCall, scan, createdAtMs } = exchange;
    if (exchange.clientGone) return;
    const canonical = Buffer.from(`{"input_tokens":${estimateCount(required(exchange.body, "body"))}}`);
    const context = { requestId: id, modelAsked: scan?.model ?? "", createdAtMs };
    const body = clientCall?.encodeAnswer(canonical, context) ?? canonical;
    response.writeHead(200, {
      ...ownHeaders(exchange),
      "content-type": "application/json",
      "content-length": String(body.length),
    });
    response.end(body);
  }
}
