import { WeirError } from "../../core/weir-error.ts";
import { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { required } from "../exchange.ts";
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
      session: exchange.sessionId,
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
