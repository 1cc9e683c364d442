import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { emptyUsage, type Usage } from "../../message/usage.ts";
import { required, type Exchange } from "../exchange.ts";
import { boundedOutputTokens } from "./bounded-output.ts";

/** A token of an answer is about so many bytes on the wire. */
const BYTES_PER_TOKEN = 4;

/**
 * What an answer used that began with a success and cannot be read, whole or streamed: the upstream had taken the request,
 * so it has read the input and written what came, and will charge for both although its client has nothing. Never more
 * output than was asked for. To be labelled `estimated`; an upstream that says that it failed (a status, an error event)
 * charges nothing.
 */
export function unreadableUsage(exchange: Exchange, answerBytes: number): Usage {
  const usage = emptyUsage();
  usage.inputTokens = CostForecaster.estimateInputTokens(required(exchange.body, "body").length);
  usage.outputTokens = boundedOutputTokens(exchange, Math.ceil(answerBytes / BYTES_PER_TOKEN));
  return usage;
}
