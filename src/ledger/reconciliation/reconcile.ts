import type { MeteredRow } from "../../store/ports/reports.ts";
import type { ProviderUsage } from "./provider-usage.ts";

/** One figure, as Weir has it and as the provider has it. */
export interface Figure {
  readonly weir: number;
  readonly provider: number;
  /** (Weir − provider) ÷ provider; infinite where the provider has none and Weir has some. */
  readonly drift: number;
}

/**
 * Why a row is beyond the threshold:
 * - `only_weir`, `only_provider`: the other side has nothing of this model on this day;
 * - `tokens`: they counted different tokens (traffic past Weir, lost entries, another account);
 * - `price`: the same tokens, other dollars (a price changed, a contract, a tier that Weir does not know).
 */
type Cause = "only_weir" | "only_provider" | "tokens" | "price";

export interface ReconciledRow {
  readonly day: string;
  readonly model: string;
  /** All kinds together, of those that both sides count; null where the provider gave no tokens. */
  readonly tokens: Figure | null;
  /** Micro-dollars; null where the provider gave none. */
  readonly cost: Figure | null;
  readonly cause: Cause | null;
  /** Requests that Weir had to estimate: they explain small drifts. */
  readonly estimated: number;
  /** The price tables of that day's entries; several when prices changed during the day. */
  readonly priceVersions: readonly string[];
}

export interface Reconciliation {
  readonly rows: readonly ReconciledRow[];
  /** Charges of the provider that name no model, such as web searches: in Weir they are part of the model's cost. */
  readonly unattributed: readonly { readonly day: string; readonly costMicroUsd: number }[];
  readonly tokens: Figure;
  readonly cost: Figure | null;
  /** Whether any row is beyond the threshold. */
  readonly alert: boolean;
}

/** Compares Weir's ledger with a provider's figures by day and model. `threshold` is a share, 0.02 for 2 %. */
export function reconcile(
  metered: readonly MeteredRow[],
  provider: readonly ProviderUsage[],
  threshold: number,
): Reconciliation {
  const sides = new Map<string, { day: string; model: string; weir?: MeteredRow; provider?: ProviderUsage }>();
  const unattributed: { day: string; costMicroUsd: number }[] = [];
  for (const row of metered) sides.set(idOf(row.day, row.model), { day: row.day, model: row.model, weir: row });
  for (const row of provider) {
    if (row.model === null) {
      unattributed.push({ day: row.day, costMicroUsd: row.costMicroUsd ?? 0 });
      continue;
    }
    const id = idOf(row.day, row.model);
    sides.set(id, { ...(sides.get(id) ?? { day: row.day, model: row.model }), provider: row });
  }
  const rows = [...sides.values()]
    .map((side) => compared(side, threshold))
    .sort((a, b) => a.day.localeCompare(b.day) || a.model.localeCompare(b.model));
  const costs = rows.flatMap(({ cost }) => (cost === null ? [] : [cost]));
  return {
    rows,
    unattributed,
    tokens: totalOf(rows.flatMap(({ tokens }) => (tokens === null ? [] : [tokens]))),
    cost: costs.length === 0 ? null : totalOf(costs),
    alert: rows.some(({ cause }) => cause !== null),
  };
}

function compared(
  side: { day: string; model: string; weir?: MeteredRow; provider?: ProviderUsage },
  threshold: number,
): ReconciledRow {
  const { day, model, weir, provider } = side;
  const tokens = tokenFigure(weir, provider);
  const knowsCost = provider === undefined || provider.costMicroUsd !== null;
  const cost = knowsCost ? figure(weir?.costMicroUsd ?? 0, provider?.costMicroUsd ?? 0) : null;
  const isBeyond = (of: Figure | null): boolean => of !== null && Math.abs(of.drift) > threshold;
  // Refused and failed exchanges leave rows without tokens, of which a provider knows nothing.
  const hasWeir = weir !== undefined && (weirTokens(weir) > 0 || weir.costMicroUsd > 0);
  const hasProvider = provider !== undefined && ((tokens?.provider ?? 0) > 0 || (cost?.provider ?? 0) > 0);
  let cause: Cause | null = null;
  if (hasWeir !== hasProvider) cause = hasWeir ? "only_weir" : "only_provider";
  else if (isBeyond(tokens)) cause = "tokens";
  else if (isBeyond(cost)) cause = "price";
  return { day, model, tokens, cost, cause, estimated: weir?.estimated ?? 0, priceVersions: weir?.priceVersions ?? [] };
}

/** Of the kinds that the provider counts; all of Weir's where the provider has no row at all. */
function tokenFigure(weir: MeteredRow | undefined, provider: ProviderUsage | undefined): Figure | null {
  if (provider === undefined) return weir === undefined ? null : figure(weirTokens(weir), 0);
  const kinds = [
    [provider.inputTokens, weir?.inputTokens],
    [provider.outputTokens, weir?.outputTokens],
    [provider.cacheReadTokens, weir?.cacheReadTokens],
    [provider.cacheWriteTokens, weir === undefined ? 0 : weir.cacheWrite5mTokens + weir.cacheWrite1hTokens],
  ] as const;
  const counted = kinds.filter(([theirs]) => theirs !== null);
  if (counted.length === 0) return null;
  const sum = (at: 0 | 1): number => counted.reduce((total, kind) => total + (kind[at] ?? 0), 0);
  return figure(sum(1), sum(0));
}

function weirTokens(row: MeteredRow): number {
  return row.inputTokens + row.outputTokens + row.cacheReadTokens + row.cacheWrite5mTokens + row.cacheWrite1hTokens;
}

function totalOf(figures: readonly Figure[]): Figure {
  const sum = (of: (one: Figure) => number): number => figures.reduce((total, one) => total + of(one), 0);
  return figure(
    sum(({ weir }) => weir),
    sum(({ provider }) => provider),
  );
}

function figure(weir: number, provider: number): Figure {
  const drift = weir === provider ? 0 : provider === 0 ? Infinity : (weir - provider) / provider;
  return { weir, provider, drift };
}

function idOf(day: string, model: string): string {
  return JSON.stringify([day, model]);
}
