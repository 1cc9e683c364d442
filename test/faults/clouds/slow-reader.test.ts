/** Readers that stop: their upstream is held, memory stays bounded, and they get the rest. More: slow-reader.long.test.ts. */
import { describe, it } from "vitest";

import { stopReaders } from "./stop-readers.ts";

describe("readers that stop in the middle of a translated stream", () => {
  it("hold the upstream and fill no memory; then they get the rest", { timeout: 60_000 }, async () => {
    await stopReaders({ kind: "bedrock", readers: 3, others: 20 });
  });
});
