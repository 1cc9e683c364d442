import { WeirError } from "../../core/weir-error.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { required, type Exchange } from "../exchange.ts";
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
    const targets = route.plannable(exchange.heldBy);
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

/** Bytes of a conversation's beginning that tell it from others. */
const BEGINNING_BYTES = 512;

/**
 * What keeps a conversation where its prompt cache is warm: the client's session, else how its messages begin. Conversations
 * that begin alike share a cache, too.
 */
function sessionOf(exchange: Exchange): string | null {
  const named = exchange.sessionId ?? exchange.header("x-weir-session");
  if (named !== null) return named;
  const messages = required(exchange.scan, "scan").members.find(({ key }) => key === "messages");
  if (messages === undefined) return null;
  const end = Math.min(messages.valueEnd, messages.valueStart + BEGINNING_BYTES);
  return required(exchange.body, "body").toString("latin1", messages.valueStart, end);
}
