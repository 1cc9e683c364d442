import { AttemptLoop } from "./attempt-loop.ts";
import type { Stage } from "./stage.ts";

export const attempt: Stage = {
  name: "attempt",
  summary: "Try the targets in order until one answers; never again once a byte has been relayed",
  run(exchange, services) {
    // What Weir answers by itself has its answer already.
    if (exchange.relay !== null) return undefined;
    return new AttemptLoop(exchange, services).run();
  },
};
