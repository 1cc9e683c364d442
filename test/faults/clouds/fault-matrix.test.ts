/** Every fault, at every kind of upstream, streamed or not: a part of the matrix. All of it: fault-matrix.long.test.ts. */
import { describe, expect, it } from "vitest";

import { checkMatrix } from "./check-matrix.ts";
import { FAULT_CASES } from "./fault-cases.ts";
import { cellsOf, sampleOf } from "./fault-matrix.ts";
import { MESSAGES_PAIRINGS, OTHER_PAIRINGS } from "./pairings.ts";

const STEP = 11;

describe("an upstream that goes wrong, with a second target of another kind", () => {
  it(
    "is not seen by the client before the first event, and is a true cut or error after it",
    { timeout: 300_000 },
    async () => {
      const cells = sampleOf(cellsOf([...MESSAGES_PAIRINGS, ...OTHER_PAIRINGS], FAULT_CASES), STEP);
      expect(new Set(cells.map(({ fault }) => fault.name)).size).toBe(FAULT_CASES.length);
      expect(new Set(cells.map(({ kind }) => kind)).size).toBe(MESSAGES_PAIRINGS.length);
      await checkMatrix(`one cell of ${STEP}`, cells);
    },
  );
});
