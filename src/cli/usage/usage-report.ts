import type { UsageDimension, UsageQuery, UsageRow, UsageStore } from "../../store/ports/usage.ts";

/** More rows than a report can use; beyond it only the sum of the rest is known. */
const MAX_ROWS = 10_000;

export type UsageSums = Omit<UsageRow, "group">;

/** What a usage report says. */
export interface UsageReport {
  readonly by: readonly UsageDimension[];
  /** The dearest rows: by day where that is one of the dimensions, then the dearest first. */
  readonly rows: readonly UsageRow[];
  /** Everything else, as one sum; null when nothing was left out. */
  readonly others: UsageSums | null;
  readonly total: UsageSums;
}

/** Asks the ledger. `limit` is the largest number of rows to give one by one. */
export async function readUsage(
  store: UsageStore,
  query: Omit<UsageQuery, "limit">,
  limit: number,
): Promise<UsageReport> {
  const all = await store.report({ ...query, limit: MAX_ROWS });
  // Asked afterwards: rows are only ever added, so the total is never less than its parts.
  const [sum] = await store.report({ ...query, groupBy: ["organization"], limit: 1 });
  const total = sum === undefined ? ZERO : sumsOf(sum);
  const dearest = [...all].sort((a, b) => b.costMicroUsd - a.costMicroUsd || b.requests - a.requests).slice(0, limit);
  const rows = query.groupBy.includes("day") ? dearest.sort(byDay) : dearest;
  const others = subtract(total, rows.reduce<UsageSums>(add, ZERO));
  return { by: query.groupBy, rows, others: others.requests > 0 ? others : null, total };
}

/** Cost in micro-dollars of each day in the range, oldest first, days without usage as 0. */
export async function costPerDay(store: UsageStore, query: Omit<UsageQuery, "limit" | "groupBy">): Promise<number[]> {
  const { fromMs, toMs, timeZone = "UTC" } = query;
  const rows = await store.report({ ...query, groupBy: ["day"], limit: MAX_ROWS });
  const costs = new Map(rows.map(({ group, costMicroUsd }) => [group.day ?? "", costMicroUsd]));
  const days: number[] = [];
  const last = dateAt(toMs - 1, timeZone);
  let day = dateAt(fromMs, timeZone);
  while (Temporal.PlainDate.compare(day, last) <= 0) {
    days.push(costs.get(day.toString()) ?? 0);
    day = day.add({ days: 1 });
  }
  return days;
}

const ZERO: UsageSums = {
  requests: 0,
  inputTokens: 0,
  outputTokens: 0,
  cacheReadTokens: 0,
  cacheWriteTokens: 0,
  costMicroUsd: 0,
  cacheMoves: 0,
  cacheLossMicroUsd: 0,
};

function sumsOf(row: UsageRow): UsageSums {
  return combine(ZERO, row, (_zero, value) => value);
}

function add(a: UsageSums, b: UsageSums): UsageSums {
  return combine(a, b, (x, y) => x + y);
}

function subtract(a: UsageSums, b: UsageSums): UsageSums {
  return combine(a, b, (x, y) => x - y);
}

function combine(a: UsageSums, b: UsageSums, with_: (x: number, y: number) => number): UsageSums {
  return {
    requests: with_(a.requests, b.requests),
    inputTokens: with_(a.inputTokens, b.inputTokens),
    outputTokens: with_(a.outputTokens, b.outputTokens),
    cacheReadTokens: with_(a.cacheReadTokens, b.cacheReadTokens),
    cacheWriteTokens: with_(a.cacheWriteTokens, b.cacheWriteTokens),
    costMicroUsd: with_(a.costMicroUsd, b.costMicroUsd),
    cacheMoves: with_(a.cacheMoves, b.cacheMoves),
    cacheLossMicroUsd: with_(a.cacheLossMicroUsd, b.cacheLossMicroUsd),
  };
}

function byDay(a: UsageRow, b: UsageRow): number {
  return (a.group.day ?? "").localeCompare(b.group.day ?? "") || b.costMicroUsd - a.costMicroUsd;
}

function dateAt(atMs: number, timeZone: string): Temporal.PlainDate {
  return Temporal.Instant.fromEpochMilliseconds(Math.floor(atMs)).toZonedDateTimeISO(timeZone).toPlainDate();
}
