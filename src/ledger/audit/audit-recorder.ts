import { type AuditAct, type AuditTrail, AuditUnavailable } from "../../core/audit-act.ts";
import type { Clock } from "../../core/clock.ts";
import type { AuditStore, ChainId } from "../../store/ports/audit.ts";
import { draftRow, extendChain, type RowDraft } from "./audit-chain.ts";
import { retentionClassOf } from "./retention-class.ts";

/** Rows in one transaction: enough to share its price, few enough that nobody waits long behind it. */
const LARGEST_BATCH = 500;

interface Waiting {
  readonly act: AuditAct;
  readonly draft: RowDraft;
  readonly stored: () => void;
  readonly refused: (error: unknown) => void;
}

/** The acts for one chain that wait for the transaction under way. */
interface Lane {
  readonly chain: ChainId;
  readonly waiting: Waiting[];
  isWriting: boolean;
}

/**
 * Writes acts into their chains. Each caller is answered when its row has been committed; acts that come while a
 * transaction is under way share the next one.
 */
export class AuditRecorder implements AuditTrail {
  readonly #store: AuditStore;
  readonly #clock: Clock;
  readonly #lanes = new Map<string, Lane>();

  constructor(store: AuditStore, clock: Clock) {
    this.#store = store;
    this.#clock = clock;
  }

  record(act: AuditAct): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    let draft: RowDraft;
    try {
      draft = draftRow(act, this.#clock.nowMs());
    } catch (error) {
      return Promise.reject(new AuditUnavailable(act, error));
    }
    const lane = this.#laneOf(chainOf(act));
    lane.waiting.push({ act, draft, stored: resolve, refused: reject });
    if (!lane.isWriting) void this.#write(lane);
    return promise;
  }

  #laneOf(chain: ChainId): Lane {
    const id = `${chain.retentionClass} ${chain.organizationId}`;
    let lane = this.#lanes.get(id);
    if (lane === undefined) this.#lanes.set(id, (lane = { chain, waiting: [], isWriting: false }));
    return lane;
  }

  /** Never rejects: every failure goes to those whose acts it concerns. */
  async #write(lane: Lane): Promise<void> {
    lane.isWriting = true;
    while (lane.waiting.length > 0) {
      const batch = lane.waiting.splice(0, LARGEST_BATCH);
      try {
        const drafts = batch.map(({ draft }) => draft);
        await this.#store.append(lane.chain, (tip) => extendChain(tip, drafts));
        for (const { stored } of batch) stored();
      } catch (error) {
        for (const { act, refused } of batch) refused(new AuditUnavailable(act, error));
      }
    }
    lane.isWriting = false;
  }
}

/** The chain that an act belongs to. */
function chainOf(act: AuditAct): ChainId {
  const { organizationId, action, retentionClass = retentionClassOf(action) } = act;
  return { organizationId, retentionClass };
}
