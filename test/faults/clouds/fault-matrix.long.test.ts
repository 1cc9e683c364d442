/** The whole fault matrix, with its tables: docs/reference/faults.md has them as last measured. */
import { describe, it } from "vitest";

import { checkMatrix } from "./check-matrix.ts";
import { FAULT_CASES } from "./fault-cases.ts";
import { cellsOf } from "./fault-matrix.ts";
import { matrixTable } from "./matrix-table.ts";
import { MESSAGES_PAIRINGS, OTHER_PAIRINGS } from "./pairings.ts";

const FORMS = [true, false];

describe("every fault × every kind of upstream × stream or not", () => {
  it("keeps its promise for clients of Messages", async () => {
    const results = await checkMatrix("Messages clients", cellsOf(MESSAGES_PAIRINGS, FAULT_CASES));
    for (const isStream of FORMS) {
      const some = results.filter(({ cell }) => cell.isStream === isStream);
      const form = isStream ? "streamed" : "whole";
      process.stdout.write(`\n${matrixTable(`fault, ${form}`, some, ({ cell }) => cell.fault.name)}\n`);
      process.stdout.write(`\n${matrixTable(`upstream, ${form}`, some, ({ cell }) => cell.kind)}\n`);
    }
  });

  it("keeps its promise for clients of the other formats", async () => {
    const results = await checkMatrix("clients of other formats", cellsOf(OTHER_PAIRINGS, FAULT_CASES));
    const pairing = matrixTable(
      "client → upstream",
      results,
      ({ cell }) => `${cell.client.name} → ${cell.kind}, ${cell.isStream ? "streamed" : "whole"}`,
    );
    process.stdout.write(`\n${pairing}\n`);
  });
});
