import type {
  AuditQuery,
  AuditRow,
  AuditStatement,
  AuditStore,
  ChainId,
  ChainSlice,
  ChainState,
  ChainTip,
} from "../ports/audit.ts";
import { StoreError } from "../ports/store-error.ts";

const GENESIS = "00".repeat(32);

interface Chain {
  state: ChainState;
  rows: AuditRow[];
  heads: AuditStatement[];
  checkpoint: AuditStatement | null;
}

/** The audit trail in this process's memory, for tests. */
export class MemoryAuditStore implements AuditStore {
  readonly #chains = new Map<string, Chain>();

  async append(...[chainId, extend, objects = []]: Parameters<AuditStore["append"]>): Promise<ChainTip> {
    const chain = this.#chain(chainId);
    const { organizationId, retentionClass, seq, hash } = chain.state;
    const wanted = new Set(objects);
    const known = chain.rows.flatMap(({ object }) => (object !== null && wanted.has(object) ? [object] : []));
    const rows = extend({ organizationId, retentionClass, seq, hash }, new Set(known));
    const last = rows.at(-1);
    if (last === undefined) return { organizationId, retentionClass, seq, hash };
    chain.rows.push(...rows);
    chain.state = { ...chain.state, seq: last.seq, hash: last.hash };
    return { organizationId, retentionClass, seq: last.seq, hash: last.hash };
  }

  async chains(organizationId?: string): Promise<readonly ChainState[]> {
    return [...this.#chains.values()]
      .map(({ state }) => state)
      .filter(({ seq }) => seq > 0)
      .filter((state) => organizationId === undefined || state.organizationId === organizationId)
      .sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1));
  }

  async rows(chain: ChainId, slice: ChainSlice): Promise<readonly AuditRow[]> {
    return sliced(this.#chain(chain).rows, slice);
  }

  async find(query: AuditQuery): Promise<readonly AuditRow[]> {
    const rows = [...this.#chains.values()].flatMap((chain) => chain.rows);
    return rows
      .filter((row) => isFound(row, query))
      .sort((a, b) => b.atMs - a.atMs || (idOf(a) === idOf(b) ? b.seq - a.seq : idOf(a) < idOf(b) ? -1 : 1))
      .slice(0, query.limit);
  }

  async firstSeqSince(chain: ChainId, atMs: number): Promise<number | null> {
    return this.#chain(chain).rows.find((row) => row.atMs >= atMs)?.seq ?? null;
  }

  async addHead(head: AuditStatement): Promise<void> {
    const chain = this.#chain(head);
    if (chain.heads.some(({ seq, keyId }) => seq === head.seq && keyId === head.keyId)) return;
    chain.heads.push(head);
    chain.heads.sort((a, b) => a.seq - b.seq || (a.keyId < b.keyId ? -1 : 1));
    chain.state = { ...chain.state, headSeq: Math.max(chain.state.headSeq, head.seq) };
  }

  async heads(chain: ChainId, slice: ChainSlice): Promise<readonly AuditStatement[]> {
    return sliced(this.#chain(chain).heads, slice);
  }

  async checkpoint(chain: ChainId): Promise<AuditStatement | null> {
    return this.#chain(chain).checkpoint;
  }

  async prune(checkpoint: AuditStatement): Promise<number> {
    const chain = this.#chain(checkpoint);
    if (chain.checkpoint?.seq === checkpoint.seq) {
      throw new StoreError("duplicate", "removing expired audit rows: it exists already");
    }
    const before = chain.rows.length;
    chain.checkpoint = checkpoint;
    chain.rows = chain.rows.filter(({ seq }) => seq > checkpoint.seq);
    chain.heads = chain.heads.filter(({ seq }) => seq > checkpoint.seq);
    return before - chain.rows.length;
  }

  #chain(id: ChainId): Chain {
    let chain = this.#chains.get(idOf(id));
    if (chain === undefined) {
      const { organizationId, retentionClass } = id;
      const state = { organizationId, retentionClass, seq: 0, hash: GENESIS, headSeq: 0 };
      chain = { state, rows: [], heads: [], checkpoint: null };
      this.#chains.set(idOf(id), chain);
    }
    return chain;
  }
}

function idOf({ organizationId, retentionClass }: ChainId): string {
  return `${organizationId} ${retentionClass}`;
}

function sliced<T extends { readonly seq: number }>(all: readonly T[], slice: ChainSlice): T[] {
  return all.filter(({ seq }) => seq > slice.afterSeq && seq <= slice.throughSeq).slice(0, slice.limit);
}

function isFound(row: AuditRow, query: AuditQuery): boolean {
  const { organizationIds, fromMs, toMs, visibleFromMs } = query;
  if (!organizationIds.includes(row.organizationId)) return false;
  if (row.atMs < fromMs || row.atMs >= toMs || row.atMs < (visibleFromMs ?? -Infinity)) return false;
  const fields = ["retentionClass", "actor", "action", "object", "result", "requestId"] as const;
  return fields.every((field) => matches(row[field], query[field]));
}

function matches(value: string | null, wanted: string | undefined): boolean {
  if (wanted === undefined) return true;
  return wanted.endsWith("*") ? value?.startsWith(wanted.slice(0, -1)) === true : value === wanted;
}
