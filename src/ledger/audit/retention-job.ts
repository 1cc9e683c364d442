import { setTimeout as sleep } from "node:timers/promises";

import type { Component } from "../../core/component.ts";
import type { Logger } from "../../core/logger.ts";
import { applyRetention, repeatedly, type RetentionParts, type RetentionRequest } from "./retention.ts";

const INTERVAL_MS = 6 * 3_600_000;
const STOP_PATIENCE_MS = 2_000;

/** Applies the configured retention at the start and every six hours. Of several replicas, one gets there first. */
export class RetentionJob implements Component {
  readonly name = "audit-retention";
  readonly #parts: RetentionParts;
  readonly #logger: Logger;
  readonly #days: () => RetentionRequest["days"];
  readonly #stopping = new AbortController();
  #loop: Promise<void> = Promise.resolve();

  constructor(parts: RetentionParts, about: { logger: Logger; days: () => RetentionRequest["days"] }) {
    this.#parts = parts;
    this.#logger = about.logger;
    this.#days = about.days;
  }

  async start(): Promise<void> {
    this.#loop = repeatedly(() => this.#apply(), {
      everyMs: INTERVAL_MS,
      signal: this.#stopping.signal,
      onFailure: (error) => this.#logger.warn({ err: error }, "audit retention failed; it will be tried again"),
    });
  }

  /** A frozen database is not waited for: what it was doing is whole or not at all. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    const ended = new AbortController();
    const patience = sleep(STOP_PATIENCE_MS, undefined, { signal: ended.signal }).catch(() => {});
    await Promise.race([this.#loop, patience]);
    ended.abort();
  }

  async #apply(): Promise<void> {
    const reason = "retention as configured";
    const request = { days: this.#days(), actor: "system", reason, isDryRun: false };
    for (const { finding, ...result } of await applyRetention(this.#parts, request)) {
      if (finding === null) this.#logger.info(result, "expired audit rows were removed");
      else this.#logger.error({ ...result, finding }, "expired audit rows do not verify and are kept");
    }
  }
}
