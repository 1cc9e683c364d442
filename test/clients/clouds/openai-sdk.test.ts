/** The openai SDK's Chat Completions and Responses through a real Weir to every kind of upstream. */
import { afterAll, beforeAll, it } from "vitest";

import { CLOUDS } from "../../harness/clouds/clouds.ts";
import { describeChatCells } from "./chat-cells.ts";
import { CloudStack } from "./cloud-stack.ts";
import { describeResponsesCells } from "./responses-cells.ts";

let stack: CloudStack;
beforeAll(async () => {
  stack = await CloudStack.start();
});
afterAll(async () => stack?.dispose());

for (const kind of CLOUDS) {
  describeChatCells(kind, () => stack);
  describeResponsesCells(kind, () => stack);
}

it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());
