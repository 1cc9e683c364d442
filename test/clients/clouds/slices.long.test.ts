/** Every SDK in front of every kind of upstream whose answers come in slices of few bytes: nothing depends on the cuts. */
import { afterAll, beforeAll, describe, it } from "vitest";

import { CLOUDS } from "../../harness/clouds/clouds.ts";
import { describeChatCells } from "./chat-cells.ts";
import { CloudStack } from "./cloud-stack.ts";
import { describeMessagesCells } from "./messages-cells.ts";
import { describeResponsesCells } from "./responses-cells.ts";
import { BEDROCK_SDK, MESSAGES_SDKS, VERTEX_SDK } from "./sdks.ts";

describe.each([1, 13, 1_000])("answers in slices of %i bytes", (sliceBytes) => {
  let stack: CloudStack;
  beforeAll(async () => {
    stack = await CloudStack.start(CLOUDS, { sliceBytes });
  });
  afterAll(async () => stack?.dispose());

  for (const kind of CLOUDS) {
    for (const sdk of [...MESSAGES_SDKS, BEDROCK_SDK, VERTEX_SDK]) describeMessagesCells(sdk, kind, () => stack);
    describeChatCells(kind, () => stack);
    describeResponsesCells(kind, () => stack);
  }

  it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());
});
