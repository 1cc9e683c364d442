import { WeirError } from "../../core/weir-error.ts";
import { required } from "../exchange.ts";
import type { Stage } from "./stage.ts";

export const plan: Stage = {
  name: "plan",
  summary: "The ordered targets that can serve the model; pure and explainable",
  run(exchange) {
    const route = required(exchange.route, "route");
    const { heldBy } = exchange;
    const targets = heldBy === null ? route.targets : route.targets.filter(({ upstream }) => upstream.name === heldBy);
    exchange.targets = targets;
    if (targets.length === 0) {
      throw new WeirError("weir:upstream:no_target", `No upstream serves ${route.model}.`);
    }
  },
};
