/** @anthropic-ai/sdk, foundry-sdk and aws-sdk, which speak Messages, through a real Weir to every kind of upstream. */
import { afterAll, beforeAll, it } from "vitest";

import { CLOUDS } from "../../harness/clouds/clouds.ts";
import { CloudStack } from "./cloud-stack.ts";
import { describeMessagesCells } from "./messages-cells.ts";
import { MESSAGES_SDKS } from "./sdks.ts";

let stack: CloudStack;
beforeAll(async () => {
  stack = await CloudStack.start();
});
afterAll(async () => stack?.dispose());

for (const sdk of MESSAGES_SDKS) for (const kind of CLOUDS) describeMessagesCells(sdk, kind, () => stack);

it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());
