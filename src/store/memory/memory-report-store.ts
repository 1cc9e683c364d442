import type { Entry } from "../../message/entry.ts";
import type {
  CostDimension,
  CostQuery,
  CostReport,
  CostSums,
  DayCost,
  ExportGrain,
  ExportRow,
  MeteredRow,
  ReportStore,
  ReportWindow,
  SessionPart,
  SessionRow,
  UserRow,
} from "../ports/reports.ts";
import type { MemoryUsageStore } from "./memory-usage-store.ts";

/** Reports on the entries of a `MemoryUsageStore`, summed anew for every question. */
export class MemoryReportStore implements ReportStore {
  readonly #usage: MemoryUsageStore;

  constructor(usage: MemoryUsageStore) {
    this.#usage = usage;
  }

  async cost(query: CostQuery): Promise<CostReport> {
    const groups = grouped(this.#within(query), (entry) => query.by.map((by) => READ[by](entry)));
    const rows = groups
      .map(({ key, entries }) => ({
        group: Object.fromEntries(query.by.map((by, at) => [by, key[at] ?? null])),
        ...sums(entries),
      }))
      .sort(dearestFirst);
    return { rows: rows.slice(0, query.limit), groups: rows.length, total: sums(this.#within(query)) };
  }

  async session(organizationId: string, sessionId: string): Promise<readonly SessionPart[]> {
    const own = this.#within({ organizationId, fromMs: -Infinity, toMs: Infinity });
    const parts = grouped(
      own.filter((entry) => entry.sessionId === sessionId),
      ({ agentId, parentAgentId, modelServed, userId, keyId }) => [agentId, parentAgentId, modelServed, userId, keyId],
    );
    return parts
      .map(({ key: [agentId = null, parentAgentId = null, model = null, userId = null, keyId = null], entries }) => ({
        agentId,
        parentAgentId,
        model: model ?? "",
        userId,
        keyId: keyId ?? "",
        ...sums(entries),
        ...times(entries),
      }))
      .sort((a, b) => a.firstAtMs - b.firstAtMs || (a.agentId ?? "").localeCompare(b.agentId ?? ""));
  }

  async sessions(query: ReportWindow & { readonly limit: number }): Promise<readonly SessionRow[]> {
    const named = this.#within(query).filter(({ sessionId }) => sessionId !== null);
    return grouped(named, ({ sessionId }) => [sessionId])
      .map(({ key: [sessionId], entries }) => ({
        sessionId: sessionId ?? "",
        userId: largest(entries.map(({ userId }) => userId)),
        keyId: largest(entries.map(({ keyId }) => keyId)) ?? "",
        ...sums(entries),
        ...times(entries),
      }))
      .sort((a, b) => b.costMicroUsd - a.costMicroUsd || a.sessionId.localeCompare(b.sessionId))
      .slice(0, query.limit);
  }

  async users(query: ReportWindow & { readonly limit: number }): Promise<readonly UserRow[]> {
    return grouped(this.#within(query), ({ userId }) => [userId])
      .map(({ key: [userId = null], entries }) => ({
        userId,
        conversations: new Set(entries.flatMap(({ sessionId }) => (sessionId === null ? [] : [sessionId]))).size,
        models: grouped(entries, ({ modelServed }) => [modelServed])
          .map((group) => ({ model: group.key[0] ?? "", cost: sums(group.entries).costMicroUsd }))
          .sort((a, b) => b.cost - a.cost || a.model.localeCompare(b.model))
          .map(({ model }) => model),
        lastAtMs: times(entries).lastAtMs,
        ...sums(entries),
      }))
      .sort(dearestFirst)
      .slice(0, query.limit);
  }

  async days(query: ReportWindow & { readonly timeZone: string }): Promise<readonly DayCost[]> {
    return grouped(this.#within(query), (entry) => [dayOf(entry, query.timeZone)])
      .map(({ key: [day], entries }) => {
        const { requests, costMicroUsd } = sums(entries);
        return { day: day ?? "", requests, costMicroUsd };
      })
      .sort((a, b) => a.day.localeCompare(b.day));
  }

  async *export(query: ReportWindow & { readonly grain: ExportGrain }): AsyncGenerator<readonly ExportRow[]> {
    const entries = this.#within(query).sort((a, b) => a.admittedAtMs - b.admittedAtMs);
    if (entries.length === 0) return;
    if (query.grain === "exchange") {
      yield entries.map((entry) => ({
        ...exportFacts(entry),
        ...sums([entry]),
        exchangeId: entry.exchangeId,
        attempt: entry.attempt,
        startMs: entry.admittedAtMs,
        endMs: entry.settledAtMs,
        outcome: entry.outcome,
      }));
      return;
    }
    yield grouped(entries, (entry) => [
      dayOf(entry, "UTC"),
      ...Object.values({ ...exportFacts(entry), sessionId: null }),
    ])
      .map(({ key: [day], entries: [first, ...others] }) => {
        if (first === undefined) throw new Error("a group without entries");
        const startMs = Date.parse(`${day}T00:00:00Z`);
        return {
          ...exportFacts(first),
          sessionId: null,
          ...sums([first, ...others]),
          exchangeId: null,
          attempt: null,
          startMs,
          endMs: startMs + 86_400_000,
          outcome: null,
        };
      })
      .sort((a, b) => a.startMs - b.startMs);
  }

  async metered(query: ReportWindow & { readonly targets?: readonly string[] }): Promise<readonly MeteredRow[]> {
    const { targets } = query;
    const own = this.#within(query).filter(
      ({ target }) => targets === undefined || (target !== null && targets.includes(target)),
    );
    return grouped(own, (entry) => [dayOf(entry, "UTC"), entry.modelServed])
      .map(({ key: [day, model], entries }) => {
        const { cacheWriteTokens: _both, ...some } = sums(entries);
        return {
          day: day ?? "",
          model: model ?? "",
          ...some,
          cacheWrite5mTokens: total(entries, ({ usage }) => usage.cacheWrite5mTokens),
          cacheWrite1hTokens: total(entries, ({ usage }) => usage.cacheWrite1hTokens),
          estimated: entries.filter(({ usageSource }) => usageSource !== "reported").length,
          priceVersions: [...new Set(entries.map(({ priceVersion }) => priceVersion))].sort(),
        };
      })
      .sort((a, b) => a.day.localeCompare(b.day) || a.model.localeCompare(b.model));
  }

  #within({ organizationId, fromMs, toMs }: ReportWindow): Entry[] {
    return [...this.#usage.all()].filter(
      (entry) => entry.organizationId === organizationId && entry.admittedAtMs >= fromMs && entry.admittedAtMs < toMs,
    );
  }
}

const READ: Record<CostDimension, (entry: Entry) => string | null> = {
  organization: (entry) => entry.organizationId,
  team: (entry) => entry.teamId,
  user: (entry) => entry.userId,
  key: (entry) => entry.keyId,
  model: (entry) => entry.modelServed,
  target: (entry) => entry.target,
  session: (entry) => entry.sessionId,
  tag: (entry) => entry.tag,
};

function exportFacts(
  entry: Entry,
): Pick<ExportRow, "teamId" | "userId" | "keyId" | "sessionId" | "tag" | "model" | "target"> {
  const { teamId, userId, keyId, sessionId, tag, modelServed, target } = entry;
  return { teamId, userId, keyId, sessionId, tag, model: modelServed, target };
}

interface Group {
  readonly key: readonly (string | null)[];
  readonly entries: Entry[];
}

function grouped(entries: readonly Entry[], keyOf: (entry: Entry) => readonly (string | null)[]): Group[] {
  const groups = new Map<string, Group>();
  for (const entry of entries) {
    const key = keyOf(entry);
    const id = JSON.stringify(key);
    const group = groups.get(id) ?? { key, entries: [] };
    group.entries.push(entry);
    groups.set(id, group);
  }
  return [...groups.values()];
}

function sums(entries: readonly Entry[]): CostSums {
  return {
    requests: entries.length,
    inputTokens: total(entries, ({ usage }) => usage.inputTokens),
    outputTokens: total(entries, ({ usage }) => usage.outputTokens),
    cacheReadTokens: total(entries, ({ usage }) => usage.cacheReadTokens),
    cacheWriteTokens: total(entries, ({ usage }) => usage.cacheWrite5mTokens + usage.cacheWrite1hTokens),
    costMicroUsd: total(entries, ({ costMicroUsd }) => costMicroUsd),
  };
}

function total(entries: readonly Entry[], of: (entry: Entry) => number): number {
  return entries.reduce((sum, entry) => sum + of(entry), 0);
}

function times(entries: readonly Entry[]): { firstAtMs: number; lastAtMs: number } {
  return {
    firstAtMs: Math.min(...entries.map(({ admittedAtMs }) => admittedAtMs)),
    lastAtMs: Math.max(...entries.map(({ settledAtMs }) => settledAtMs)),
  };
}

function largest(values: readonly (string | null)[]): string | null {
  return values.reduce((most, value) => (value !== null && (most === null || value > most) ? value : most), null);
}

function dearestFirst(a: CostSums, b: CostSums): number {
  return b.costMicroUsd - a.costMicroUsd || b.requests - a.requests;
}

function dayOf(entry: Entry, timeZone: string): string {
  return Temporal.Instant.fromEpochMilliseconds(entry.admittedAtMs)
    .toZonedDateTimeISO(timeZone)
    .toPlainDate()
    .toString();
}
