import { required } from "../exchange.ts";
import type { Stage } from "./stage.ts";

export const relay: Stage = {
  name: "relay",
  summary: "Pass the answer on as it comes, metering it; hold back its end",
  run(exchange) {
    return required(exchange.relay, "relay").done;
  },
};
