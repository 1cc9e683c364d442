import { canonicalModel } from "../../message/models.ts";

/** What a provider says was used of one model on one day (UTC). Null where it does not say. */
export interface ProviderUsage {
  readonly day: string;
  /** As Weir calls it, where Weir knows it. Null for charges that no model has, such as web searches. */
  readonly model: string | null;
  readonly requests: number | null;
  readonly inputTokens: number | null;
  readonly outputTokens: number | null;
  readonly cacheReadTokens: number | null;
  readonly cacheWriteTokens: number | null;
  readonly costMicroUsd: number | null;
}

/** Something that does not look like what the provider documents; says where. */
export class ReconciliationError extends Error {
  constructor(message: string) {
    super(message);
    this.name = "ReconciliationError";
  }
}

/** Sums provider rows by day and model, in that order, whatever pieces they come in. Holds one row a day and model. */
export class ProviderUsageSums {
  readonly #sums = new Map<string, ProviderUsage>();

  add(row: ProviderUsage): void {
    const model = row.model === null ? null : (canonicalModel(row.model) ?? row.model);
    const id = JSON.stringify([row.day, model]);
    const known = this.#sums.get(id);
    const sum = (of: (usage: ProviderUsage) => number | null): number | null => {
      const [before, more] = [known === undefined ? null : of(known), of(row)];
      return before === null ? more : more === null ? before : before + more;
    };
    this.#sums.set(id, {
      day: row.day,
      model,
      requests: sum(({ requests }) => requests),
      inputTokens: sum(({ inputTokens }) => inputTokens),
      outputTokens: sum(({ outputTokens }) => outputTokens),
      cacheReadTokens: sum(({ cacheReadTokens }) => cacheReadTokens),
      cacheWriteTokens: sum(({ cacheWriteTokens }) => cacheWriteTokens),
      costMicroUsd: sum(({ costMicroUsd }) => costMicroUsd),
    });
  }

  rows(): readonly ProviderUsage[] {
    return [...this.#sums.values()].sort(
      (a, b) =>
        a.day.localeCompare(b.day) ||
        Number(a.model === null) - Number(b.model === null) ||
        (a.model ?? "").localeCompare(b.model ?? ""),
    );
  }
}

/**
 * A decimal of any length as an integer of `scale` times as much, rounded half up: `decimalToInteger("123.456", 10_000n)` is
 * 1,234,560. Throws ReconciliationError when the text is no decimal.
 */
export function decimalToInteger(text: string, scale: bigint): number {
  const match = /^(-?)(\d+)(?:\.(\d+))?$/.exec(text.trim());
  if (match === null) throw new ReconciliationError(`${JSON.stringify(text)} is no amount of money`);
  const [, sign, whole = "0", fraction = ""] = match;
  const unit = 10n ** BigInt(fraction.length);
  const scaled = (BigInt(whole) * unit + BigInt(fraction === "" ? "0" : fraction)) * scale;
  const rounded = Number((2n * scaled + unit) / (2n * unit));
  return sign === "-" ? -rounded : rounded;
}
