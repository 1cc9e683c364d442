import { expect } from "vitest";

import type { Entry } from "../../../src/message/entry.ts";
import type { Charge } from "../../harness/clouds/deliver.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import type { Cell } from "./cloud-stack.ts";
import { expectedTokens, NO_TOKENS, type Tokens } from "./expected-usage.ts";
import type { RecordedAnswer } from "./recorded-fetch.ts";

/** What of an entry a cell decides. */
type Line = Pick<Entry, "clientFormat" | "target" | "outcome" | "status"> & Tokens;

/** Paths of requests that are not metered, or that a stand-in bills without saying how much. */
const UNCOUNTED = /count[_-]tokens|input_tokens|embeddings/;

/** What the ledger must hold of the exchanges of many cells, compared at once: entries take a moment to arrive. */
export class ExpectedLedger {
  readonly #lines: { readonly cell: string; readonly exchangeId: string; readonly line: Line }[] = [];

  /** Notes the answers of a cell and what the cloud billed for them, both in the order of asking. */
  note({ name, kind, format }: Cell, answers: readonly RecordedAnswer[], charges: readonly Charge[]): void {
    const billed = [...charges];
    for (const { url, status, headers } of answers) {
      // What Weir refused before it chose an upstream was never admitted.
      const wasSent = headers.has("x-weir-upstream");
      if (UNCOUNTED.test(new URL(url).pathname) || !wasSent) continue;
      const charge = status < 400 ? billed.shift() : undefined;
      const tokens = charge === undefined ? NO_TOKENS : expectedTokens(charge, kind.speaksMessages);
      const outcome = status < 400 ? "complete" : "upstream_error";
      const line: Line = { clientFormat: format, target: kind.kind, outcome, status, ...tokens };
      this.#lines.push({ cell: `${kind.kind}: ${name}`, exchangeId: headers.get("request-id") ?? "", line });
    }
  }

  /** Waits until the ledger has all that was noted, and compares. */
  async check(weir: WeirProcess): Promise<void> {
    const ids = new Set(this.#lines.map(({ exchangeId }) => exchangeId));
    const rows = await weir.entries((all) => all.filter((row) => ids.has(row.exchangeId)).length >= ids.size);
    const found = this.#lines.map(({ cell, exchangeId }) => {
      const own = rows.filter((row) => row.exchangeId === exchangeId);
      return { cell, entries: own.map((row) => lineOf(row)) };
    });
    expect(found).toEqual(this.#lines.map(({ cell, line }) => ({ cell, entries: [line] })));
  }
}

function lineOf({ clientFormat, target, outcome, status, usage }: Entry): Line {
  const { inputTokens, outputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens } = usage;
  const tokens = { inputTokens, outputTokens, cacheReadTokens, cacheWrite5mTokens, cacheWrite1hTokens };
  return { clientFormat, target, outcome, status, ...tokens };
}
