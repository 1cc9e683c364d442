import type { DirectoryStore } from "../ports/directory.ts";
import type {
  AlertMark,
  KeyTagRecord,
  MemberRecord,
  RaiseRecord,
  SpendAct,
  SpendEvent,
  SpendLimitRecord,
  SpendLimitStore,
  SpendPlan,
  SpendRetention,
} from "../ports/spend-limits.ts";
import { StoreError } from "../ports/store-error.ts";

/** Spend limits in this process's memory, beside a directory: for tests and for running without a database. */
export class MemorySpendLimitStore implements SpendLimitStore {
  readonly #directory: DirectoryStore;
  readonly #changed: () => void;
  readonly #limits = new Map<string, SpendLimitRecord>();
  readonly #raises = new Map<string, RaiseRecord>();
  readonly #members = new Map<string, MemberRecord>();
  readonly #keyTags = new Map<string, KeyTagRecord>();
  readonly #marks = new Map<string, { readonly mark: AlertMark; leaseUntilMs: number; delivered: boolean }>();
  #events: { readonly organizationId: string; readonly event: SpendEvent }[] = [];
  #lastEventId = 0;

  /** `changed` is called after every change that readers of the directory are to hear of. */
  constructor(directory: DirectoryStore, changed: () => void = () => {}) {
    this.#directory = directory;
    this.#changed = changed;
  }

  async load(nowMs: number): Promise<SpendPlan> {
    return {
      limits: [...this.#limits.values()].sort((a, b) => (a.id < b.id ? -1 : 1)),
      raises: [...this.#raises.values()].filter(({ untilMs }) => untilMs > nowMs),
      members: [...this.#members.values()],
      keyTags: [...this.#keyTags.values()],
    };
  }

  async list(organizationId: string): Promise<readonly SpendLimitRecord[]> {
    return [...this.#limits.values()]
      .filter((record) => record.organizationId === organizationId)
      .sort((a, b) => a.createdAtMs - b.createdAtMs || (a.id < b.id ? -1 : 1));
  }

  async put(record: SpendLimitRecord, act: SpendAct): Promise<SpendLimitRecord> {
    const { budgets } = await this.#known(record.organizationId);
    const before = [...this.#limits.values()].find((other) => isSame(other, record)) ?? null;
    if (before === null && this.#limits.has(record.id)) {
      throw new StoreError("duplicate", `setting spend limit ${record.id}: another one has this id`);
    }
    const after = before === null ? record : { ...record, id: before.id, createdAtMs: before.createdAtMs };
    this.#limits.set(after.id, after);
    const older = budgets.find((budget) => isSame({ ...budget, sharing: "shared" }, record));
    if (older !== undefined) await this.#directory.removeBudget(record.organizationId, older.id);
    this.#note(record.organizationId, { action: "spend_limit.upsert", targetId: after.id, before, after }, act);
    return after;
  }

  async remove(organizationId: string, id: string, act: SpendAct): Promise<SpendLimitRecord | null> {
    const before = this.#limits.get(id);
    if (before?.organizationId !== organizationId) return null;
    this.#limits.delete(id);
    this.#note(organizationId, { action: "spend_limit.delete", targetId: id, before, after: null }, act);
    return before;
  }

  async addRaise(raise: RaiseRecord, act: SpendAct): Promise<void> {
    const { organizationId, id } = raise;
    await this.#known(organizationId);
    if (this.#raises.has(id)) throw new StoreError("duplicate", `adding increase ${id}: it exists already`);
    this.#raises.set(id, raise);
    this.#note(organizationId, { action: "spend_raise.create", targetId: id, before: null, after: raise }, act);
  }

  async endRaise(organizationId: string, id: string, act: SpendAct): Promise<RaiseRecord | null> {
    const before = this.#raises.get(id);
    if (before?.organizationId !== organizationId || before.untilMs <= act.atMs) return null;
    const after = { ...before, untilMs: act.atMs };
    this.#raises.set(id, after);
    this.#note(organizationId, { action: "spend_raise.end", targetId: id, before, after }, act);
    return after;
  }

  async setKeyTag(
    { organizationId, keyId }: { organizationId: string; keyId: string },
    tag: string | null,
    act: SpendAct,
  ): Promise<void> {
    const { keys } = await this.#known(organizationId);
    if (!keys.some((key) => key.id === keyId && key.organizationId === organizationId)) {
      throw new StoreError("unknown_reference", `${keyId} does not exist in this organisation`);
    }
    const before = this.#keyTags.get(keyId);
    if (tag === null) this.#keyTags.delete(keyId);
    else this.#keyTags.set(keyId, { organizationId, keyId, tag });
    const change = {
      action: "key_tag.set",
      targetId: keyId,
      before: before === undefined ? null : { tag: before.tag },
      after: tag === null ? null : { tag },
    };
    this.#note(organizationId, change, act);
  }

  async rememberMember(member: MemberRecord): Promise<void> {
    const { users } = await this.#known(member.organizationId);
    if (!users.some(({ id, organizationId }) => id === member.userId && organizationId === member.organizationId)) {
      throw new StoreError("unknown_reference", `${member.userId} does not exist in this organisation`);
    }
    this.#members.set(member.userId, member);
    this.#changed();
  }

  async events(
    organizationId: string,
    { limit, afterId = Infinity }: { readonly limit: number; readonly afterId?: number },
  ): Promise<readonly SpendEvent[]> {
    return this.#events
      .filter((row) => row.organizationId === organizationId && row.event.id < afterId)
      .map(({ event }) => event)
      .toReversed()
      .slice(0, limit);
  }

  async marks(sinceMs: number): Promise<readonly AlertMark[]> {
    return [...this.#marks.values()]
      .map(({ mark }) => mark)
      .filter(({ firedAtMs, window }) => firedAtMs >= sinceMs || window === "total");
  }

  async claimMark(mark: AlertMark, leaseUntilMs: number): Promise<boolean> {
    if (this.#marks.has(markKey(mark))) return false;
    this.#marks.set(markKey(mark), { mark, leaseUntilMs, delivered: false });
    return true;
  }

  async claimUndelivered(nowMs: number, leaseUntilMs: number): Promise<readonly AlertMark[]> {
    const late = [...this.#marks.values()].filter((held) => !held.delivered && held.leaseUntilMs <= nowMs);
    for (const held of late) held.leaseUntilMs = leaseUntilMs;
    return late.map(({ mark }) => mark);
  }

  async delivered(mark: AlertMark): Promise<void> {
    const known = this.#marks.get(markKey(mark));
    if (known !== undefined) known.delivered = true;
  }

  async prune({ eventsBeforeMs, membersBeforeMs, marksBeforeMs }: SpendRetention): Promise<void> {
    this.#events = this.#events.filter(({ event }) => event.atMs >= eventsBeforeMs);
    for (const [id, { seenAtMs }] of this.#members) if (seenAtMs < membersBeforeMs) this.#members.delete(id);
    for (const [id, { mark }] of this.#marks) {
      const { firedAtMs, window } = mark;
      if (firedAtMs < marksBeforeMs && window !== "total") this.#marks.delete(id);
    }
  }

  async #known(organizationId: string): ReturnType<DirectoryStore["load"]> {
    const directory = await this.#directory.load();
    if (directory.organizations.some(({ id }) => id === organizationId)) return directory;
    throw new StoreError("unknown_reference", `${organizationId} does not exist`);
  }

  #note(
    organizationId: string,
    change: { action: string; targetId: string; before: object | null; after: object | null },
    act: SpendAct,
  ): void {
    const { actor, atMs, reason } = act;
    const { action, targetId } = change;
    const [before, after] = [plain(change.before), plain(change.after)];
    this.#lastEventId += 1;
    this.#events.push({
      organizationId,
      event: { id: this.#lastEventId, atMs, actor, action, targetId, before, after, reason },
    });
    this.#changed();
  }
}

type Identity = Pick<SpendLimitRecord, "organizationId" | "scope" | "subjectId" | "sharing" | "window">;

function isSame(a: Identity, b: Identity): boolean {
  return (
    a.organizationId === b.organizationId &&
    a.scope === b.scope &&
    a.subjectId === b.subjectId &&
    a.sharing === b.sharing &&
    a.window === b.window
  );
}

function markKey({ organizationId, scope, subjectId, window, windowStartMs, thresholdPercent }: AlertMark): string {
  return JSON.stringify([organizationId, scope, subjectId, window, windowStartMs, thresholdPercent]);
}

function plain(record: object | null): Readonly<Record<string, unknown>> | null {
  return record === null ? null : { ...record };
}
