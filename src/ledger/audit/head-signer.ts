import { setTimeout as sleep } from "node:timers/promises";

import type { Clock } from "../../core/clock.ts";
import type { Component } from "../../core/component.ts";
import type { Logger } from "../../core/logger.ts";
import type { AuditStatement, AuditStore, ChainState } from "../../store/ports/audit.ts";
import { GENESIS_HASH } from "./audit-chain.ts";
import type { AuditFinding } from "./audit-finding.ts";
import { ChainVerifier } from "./chain-verifier.ts";
import { type StatementSigner, TrustedKeys } from "./statement-signer.ts";

const PAGE_ROWS = 2_000;
const STOP_PATIENCE_MS = 2_000;

export interface HeadSignerOptions {
  readonly store: AuditStore;
  readonly signer: StatementSigner;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly intervalMs: number;
  /** Also keeps each head outside the database. */
  readonly keep?: (head: AuditStatement) => Promise<void>;
}

/**
 * Signs the end of every chain that has grown, from time to time and at the end. Before it signs it looks at the rows since
 * the last head: what was rewritten in the database is not blessed, but said aloud.
 */
export class HeadSigner implements Component {
  readonly name = "audit-head-signer";
  readonly #options: HeadSignerOptions;
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(options: HeadSignerOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    this.#loop = this.#run();
  }

  /** Signs once more; a frozen database is not waited for. */
  async stop(): Promise<void> {
    if (this.#stopping.signal.aborted) return;
    this.#stopping.abort();
    const ended = new AbortController();
    const patience = sleep(STOP_PATIENCE_MS, undefined, { signal: ended.signal }).catch(() => {});
    await Promise.race([this.#loop.then(() => this.signSafely()), patience]);
    ended.abort();
  }

  /** Signs every chain that has grown; returns how many. */
  async signAll(organizationId?: string): Promise<number> {
    let signed = 0;
    for (const state of await this.#options.store.chains(organizationId)) {
      if (state.seq > state.headSeq && (await this.#sign(state))) signed += 1;
    }
    return signed;
  }

  async #run(): Promise<void> {
    while (!this.#stopping.signal.aborted) {
      await this.signSafely();
      // Aborted: the loop ends.
      await sleep(this.#options.intervalMs, undefined, { signal: this.#stopping.signal }).catch(() => {});
    }
  }

  /** As `signAll`, but logs a failure instead of rejecting: acts stand whether they are signed now or later. */
  async signSafely(): Promise<void> {
    try {
      await this.signAll();
    } catch (error) {
      this.#options.logger.warn({ err: error }, "the audit trail could not be signed; it will be tried again");
    }
  }

  async #sign(state: ChainState): Promise<boolean> {
    const { store, signer, clock, logger, keep } = this.#options;
    const finding = await this.#firstFinding(state);
    if (finding !== null) {
      logger.error({ finding }, "an audit chain is broken and is not signed: run weir audit verify");
      return false;
    }
    const head = signer.head(state, clock.nowMs());
    await keep?.(head);
    await store.addHead(head);
    return true;
  }

  /** The first thing that is wrong with the rows since the last head. */
  async #firstFinding(state: ChainState): Promise<AuditFinding | null> {
    const { store, signer } = this.#options;
    const chain = { organizationId: state.organizationId, retentionClass: state.retentionClass };
    const slice = { afterSeq: state.headSeq - 1, throughSeq: state.headSeq, limit: 1 };
    const [head] = state.headSeq === 0 ? [] : await store.heads(chain, slice);
    // Retention may have removed what was signed last.
    const checkpoint = await store.checkpoint(chain);
    const base = [head, checkpoint].reduce<Pick<ChainState, "seq" | "hash">>(
      (latest, one) => (one !== undefined && one !== null && one.seq > latest.seq ? one : latest),
      { seq: 0, hash: GENESIS_HASH },
    );
    const origin = signer.start({ ...chain, seq: base.seq, hash: base.hash }, 0);
    const verifier = new ChainVerifier(chain, { keys: new TrustedKeys([signer.publicKey]), origin });
    let afterSeq = base.seq;
    for (;;) {
      const rows = await store.rows(chain, { afterSeq, throughSeq: state.seq, limit: PAGE_ROWS });
      const last = rows.at(-1);
      if (last === undefined) break;
      verifier.take(rows, []);
      afterSeq = last.seq;
    }
    return verifier.finish(state).findings[0] ?? null;
  }
}
