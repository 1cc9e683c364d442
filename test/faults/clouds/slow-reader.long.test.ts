/** Readers that stop, of every way in which a stream passes: byte for byte, out of frames, out of another format. */
import { describe, it } from "vitest";

import { FOUNTAIN_KINDS } from "./fountain.ts";
import { stopReaders } from "./stop-readers.ts";

describe.each(FOUNTAIN_KINDS)("readers that stop in the middle of what %s sends", (kind) => {
  it("hold the upstream, fill no memory and delay nobody; then they get the rest", async () => {
    await stopReaders({ kind, readers: 10, others: 200 });
  });
});
