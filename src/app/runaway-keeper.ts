import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import { parseUsd } from "../core/money.ts";
import type { Config } from "../config/schema.ts";
import { type Pause, RunawayGuard, type RunawaySettings, type SettledCost } from "../policy/runaway/runaway-guard.ts";
import type { RunawayWatch } from "../policy/runaway/runaway-watch.ts";
import type { SessionPauseStore } from "../store/ports/session-pauses.ts";

/** How soon a pause or a resume of another process takes effect here. */
const READ_EVERY_MS = 1_000;

/**
 * The runaway guard with its memory in the store: a pause holds on every replica and after a restart, and a resume from the
 * command line takes effect within a second. While the store is away, pauses are held in this process.
 */
export class RunawayKeeper implements Component, RunawayWatch {
  readonly name = "runaway guard";
  readonly #guard: RunawayGuard;
  readonly #store: SessionPauseStore;
  readonly #logger: Logger;
  /** Found here and not in the store yet: their absence there is no resume. */
  readonly #unwritten = new Set<Pause>();
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> | null = null;
  #wasAway = false;

  constructor(store: SessionPauseStore, options: { config: Config; logger: Logger }) {
    this.#store = store;
    this.#logger = options.logger;
    this.#guard = new RunawayGuard(runawaySettings(options.config));
  }

  async start(): Promise<void> {
    await this.refresh();
    this.#timer = setInterval(() => void this.refresh(), READ_EVERY_MS).unref();
  }

  async stop(): Promise<void> {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#reading;
  }

  configure(config: Config): void {
    this.#guard.configure(runawaySettings(config));
  }

  observe(entry: SettledCost): void {
    const pause = this.#guard.observe(entry);
    if (pause === null) return;
    const { organizationId, sessionId, spentMicroUsd, usualMicroUsd } = pause;
    this.#logger.warn(
      { organization_id: organizationId, session_id: sessionId, spent: spentMicroUsd, usual: usualMicroUsd },
      "a session burns far faster than its history; it is paused until `weir session resume`",
    );
    this.#unwritten.add(pause);
    void this.refresh();
  }

  pauseOf(organizationId: string, sessionId: string): Pause | null {
    return this.#guard.pauseOf(organizationId, sessionId);
  }

  /** Writes what was found here and takes over what others found or resumed. Never rejects; joins one that is under way. */
  refresh(): Promise<void> {
    this.#reading ??= this.#refresh()
      .then(() => {
        this.#wasAway = false;
      })
      .catch((error: unknown) => {
        if (!this.#wasAway)
          this.#logger.warn({ err: error }, "paused sessions cannot be read; those known stay paused");
        this.#wasAway = true;
      })
      .finally(() => {
        this.#reading = null;
      });
    return this.#reading;
  }

  async #refresh(): Promise<void> {
    for (const pause of this.#unwritten) {
      await this.#store.put(pause);
      this.#unwritten.delete(pause);
    }
    // Taken before the store is asked: what is found meanwhile is not known to it.
    const before = this.#guard.pauses();
    const active = await this.#store.active();
    const inForce = new Set(active.map(idOf));
    for (const pause of before) {
      if (!inForce.has(idOf(pause))) this.#guard.resume(pause.organizationId, pause.sessionId);
    }
    const known = new Set(before.map(idOf));
    for (const pause of active) if (!known.has(idOf(pause))) this.#guard.pause(pause);
  }
}

function runawaySettings({ runaway }: Config): RunawaySettings {
  return {
    enabled: runaway.enabled,
    windowMs: runaway.window_ms,
    floorMicroUsd: parseUsd(runaway.floor_usd),
    ownFactor: runaway.own_factor,
    organizationFactor: runaway.organization_factor,
    leastWindows: runaway.min_windows,
  };
}

function idOf({ organizationId, sessionId }: Pause): string {
  return JSON.stringify([organizationId, sessionId]);
}
