import { ENTRY_DEFAULTS } from "../../message/entry-defaults.ts";
import type { Entry } from "../../message/entry.ts";
import type { PayerScope } from "../ports/spend-limits.ts";
import type { ShipCursor, UsageDimension, UsageQuery, UsageRow, UsageStore } from "../ports/usage.ts";

const DEFAULT_LIMIT = 1_000;

/** Ledger rows in this process's memory, summed anew for every question: for tests and for running without a database. */
export class MemoryUsageStore implements UsageStore {
  readonly #entries = new Map<string, Entry>();
  readonly #cursors = new Map<string, ShipCursor>();

  /** Every entry, for other stores in this memory. */
  all(): Iterable<Entry> {
    return this.#entries.values();
  }

  async cursor(journalId: string): Promise<ShipCursor | null> {
    return this.#cursors.get(journalId) ?? null;
  }

  async ship(journalId: string, entries: readonly Buffer[], cursor: ShipCursor): Promise<number> {
    const before = this.#entries.size;
    for (const text of entries) {
      // The journal writes nothing but entries; those of an earlier Weir lack the fields that came later.
      const entry = { ...ENTRY_DEFAULTS, ...(JSON.parse(text.toString("utf8")) as Entry) };
      const id = `${entry.exchangeId} ${entry.attempt}`;
      if (!this.#entries.has(id)) this.#entries.set(id, { ...entry, admittedAtMs: Math.floor(entry.admittedAtMs) });
    }
    const known = this.#cursors.get(journalId);
    if (known === undefined || isBefore(known, cursor)) this.#cursors.set(journalId, { ...cursor });
    return this.#entries.size - before;
  }

  async totals(scope: PayerScope, fromMs: number, toMs: number): Promise<ReadonlyMap<string, number>> {
    const totals = new Map<string, number>();
    for (const entry of this.#entries.values()) {
      const subject = scope === "tag" ? tagOf(entry) : dimensionOf(entry, scope, "UTC");
      if (subject === null || entry.admittedAtMs < fromMs || entry.admittedAtMs >= toMs) continue;
      totals.set(subject, (totals.get(subject) ?? 0) + entry.costMicroUsd);
    }
    return totals;
  }

  async report(query: UsageQuery): Promise<readonly UsageRow[]> {
    const { groupBy, timeZone = "UTC", limit = DEFAULT_LIMIT } = query;
    const rows = new Map<string, UsageRow>();
    for (const entry of this.#entries.values()) {
      if (!isAskedFor(entry, query)) continue;
      const group = Object.fromEntries(groupBy.map((by) => [by, dimensionOf(entry, by, timeZone)]));
      const id = JSON.stringify(group);
      rows.set(id, added(rows.get(id) ?? emptyRow(group), entry));
    }
    return [...rows.values()].sort(byDayThenCost).slice(0, limit);
  }

  async entries(query: Parameters<UsageStore["entries"]>[0]): Promise<readonly Entry[]> {
    return [...this.#entries.values()]
      .filter((entry) => entry.organizationId === query.organizationId)
      .filter((entry) => query.exchangeId === undefined || entry.exchangeId === query.exchangeId)
      .filter((entry) => query.sessionId === undefined || entry.sessionId === query.sessionId)
      .sort((a, b) => b.admittedAtMs - a.admittedAtMs || (a.exchangeId < b.exchangeId ? 1 : -1))
      .slice(0, query.limit);
  }
}

function isBefore(a: ShipCursor, b: ShipCursor): boolean {
  return a.segment < b.segment || (a.segment === b.segment && a.offset < b.offset);
}

function isAskedFor(entry: Entry, query: UsageQuery): boolean {
  if (entry.organizationId !== query.organizationId) return false;
  if (entry.admittedAtMs < query.fromMs || entry.admittedAtMs >= query.toMs) return false;
  for (const [dimension, value] of Object.entries(query.where ?? {})) {
    // The keys of `where` are dimensions by its type.
    if (dimensionOf(entry, dimension as UsageDimension, query.timeZone ?? "UTC") !== value) return false;
  }
  return true;
}

function tagOf({ organizationId, tag }: Entry): string | null {
  return tag === null ? null : `${organizationId}/${tag}`;
}

function dimensionOf(entry: Entry, dimension: UsageDimension, timeZone: string): string | null {
  return READ[dimension](entry, timeZone);
}

const READ: Record<UsageDimension, (entry: Entry, timeZone: string) => string | null> = {
  organization: (entry) => entry.organizationId,
  team: (entry) => entry.teamId,
  user: (entry) => entry.userId,
  key: (entry) => entry.keyId,
  model: (entry) => entry.modelServed,
  target: (entry) => entry.target,
  session: (entry) => entry.sessionId,
  agent: (entry) => entry.agentId,
  day: (entry, timeZone) =>
    Temporal.Instant.fromEpochMilliseconds(entry.admittedAtMs).toZonedDateTimeISO(timeZone).toPlainDate().toString(),
};

function emptyRow(group: UsageRow["group"]): UsageRow {
  return {
    group,
    requests: 0,
    inputTokens: 0,
    outputTokens: 0,
    cacheReadTokens: 0,
    cacheWriteTokens: 0,
    costMicroUsd: 0,
    cacheMoves: 0,
    cacheLossMicroUsd: 0,
  };
}

function added(row: UsageRow, entry: Entry): UsageRow {
  const { usage } = entry;
  return {
    group: row.group,
    requests: row.requests + 1,
    inputTokens: row.inputTokens + usage.inputTokens,
    outputTokens: row.outputTokens + usage.outputTokens,
    cacheReadTokens: row.cacheReadTokens + usage.cacheReadTokens,
    cacheWriteTokens: row.cacheWriteTokens + usage.cacheWrite5mTokens + usage.cacheWrite1hTokens,
    costMicroUsd: row.costMicroUsd + entry.costMicroUsd,
    cacheMoves: row.cacheMoves + (entry.cacheMove === null ? 0 : 1),
    cacheLossMicroUsd: row.cacheLossMicroUsd + entry.cacheLossMicroUsd,
  };
}

function byDayThenCost(a: UsageRow, b: UsageRow): number {
  const byDay = (a.group.day ?? "").localeCompare(b.group.day ?? "");
  return byDay || b.costMicroUsd - a.costMicroUsd || b.requests - a.requests;
}
