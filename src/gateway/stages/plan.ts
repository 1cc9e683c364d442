import { WeirError } from "../../core/weir-error.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { JsonSpans } from "../../wire/json/json-spans.ts";
import { required, type Exchange } from "../exchange.ts";
import { EstimatedCount } from "../relay/estimated-count.ts";
import { urgencyOf } from "./queue.ts";
import type { Stage } from "./stage.ts";

/** What an answer is expected to have when nothing better is known; only the cheapest strategy looks at it. */
const USUAL_OUTPUT_TOKENS = 500;

export const plan: Stage = {
  name: "plan",
  summary: "The ordered targets that can serve the model; pure and explainable",
  run(exchange, { router, clock }) {
    const route = required(exchange.route, "route");
    const { maxTokens } = required(exchange.scan, "scan");
    const serving = route.plannable(exchange.heldBy);
    const counts = exchange.endpoint.kind === "count_tokens";
    const targets = counts ? route.counting(exchange.heldBy) : serving;
    if (counts && targets.length === 0 && serving.length > 0) {
      exchange.relay = new EstimatedCount(exchange);
      return;
    }
    const chosen = router.plan({
      model: route.model,
      targets,
      sessionScope: required(exchange.identity, "identity").key.id,
      session: targets.length > 1 ? sessionOf(exchange) : null,
      clientRegion: exchange.header("x-weir-client-region"),
      expectedInputTokens: CostForecaster.estimateInputTokens(required(exchange.body, "body").length),
      expectedOutputTokens: Math.min(maxTokens, USUAL_OUTPUT_TOKENS),
      urgency: urgencyOf(exchange),
      strategy: route.strategy,
      nowMs: clock.monotonicMs(),
    });
    if (chosen.targets.length === 0) {
      throw new WeirError("weir:upstream:no_target", `No upstream serves ${route.model}.`);
    }
    exchange.plan = chosen;
  },
};

/** How much of a conversation is looked at for its first message. */
const BEGINNING_BYTES = 8_192;

/**
 * What keeps a conversation where its prompt cache is warm: the client's session; without one, its first message, where it marks
 * something for the cache. What is not to be cached has nothing to stay for, and takes its turn.
 */
function sessionOf(exchange: Exchange): string | null {
  const named = exchange.sessionId ?? exchange.header("x-weir-session");
  if (named !== null) return named;
  const body = required(exchange.body, "body");
  const messages = required(exchange.scan, "scan").members.find(({ key }) => key === "messages");
  if (messages === undefined || !body.includes("cache_control")) return null;
  const text = body.toString("latin1", messages.valueStart, messages.valueStart + BEGINNING_BYTES);
  const [first] = new JsonSpans(text, exchange.snapshot.maxJsonDepth).itemsOf(0);
  return first === undefined ? null : text.slice(first.start, first.end);
}
