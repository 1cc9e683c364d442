import { setTimeout as sleep } from "node:timers/promises";

import type { Entry } from "../../../src/message/entry.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";

const EVERY_MS = 100;
const PATIENCE_MS = 30_000;

/**
 * The ledger's rows once there are as many as expected, or what there is when they do not come: the caller then says which
 * are missing. A moment more is waited for those that must not come.
 */
export async function settledRows(weir: WeirProcess, expected: number): Promise<readonly Entry[]> {
  const deadline = performance.now() + PATIENCE_MS;
  for (;;) {
    const rows = await weir.database.entries();
    if (rows.length < expected && performance.now() < deadline) {
      await sleep(EVERY_MS);
      continue;
    }
    await sleep(EVERY_MS);
    return await weir.database.entries();
  }
}
