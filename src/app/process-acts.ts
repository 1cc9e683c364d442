import { hostname, userInfo } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";

import { type AuditAct, type AuditTrail, INSTALLATION } from "../core/audit-act.ts";
import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import { performAudited } from "../core/perform-audited.ts";
import type { Diagnostic } from "../config/diagnostic.ts";
import type { ConfigChange } from "../config/watcher.ts";

/** A frozen database must not keep a process from ending. */
const STOP_PATIENCE_MS = 2_000;

/**
 * What this process does as a whole, in the installation's audit trail: start, stop, reloads. It does not start, and takes no
 * new settings, where that cannot be written; it ends all the same.
 */
export class ProcessActs implements Component {
  readonly name = "process-acts";
  readonly #trail: AuditTrail;
  readonly #logger: Logger;
  readonly #version: string;
  #isRunning = false;

  constructor(trail: AuditTrail, about: { logger: Logger; version: string }) {
    this.#trail = trail;
    this.#logger = about.logger;
    this.#version = about.version;
  }

  async start(): Promise<void> {
    await this.#trail.record(this.#act("process.start", { version: this.#version }));
    this.#isRunning = true;
  }

  async stop(): Promise<void> {
    if (!this.#isRunning) return;
    this.#isRunning = false;
    await this.#tell(this.#act("process.stop", { version: this.#version }));
  }

  /** Applies a configuration whose changes have been written down. What changes no setting (a renewed certificate) does not wait for the trail. */
  async reload(change: ConfigChange, apply: () => Promise<void>): Promise<void> {
    const act = this.#act("config.reload", { settings: change.settings, need_restart: change.needRestart });
    if (change.settings.length > 0 || change.needRestart.length > 0) {
      await performAudited(this.#trail, act, apply);
      return;
    }
    await apply();
    await this.#tell(act);
  }

  /** Notes a configuration that was not taken: what kinds of mistakes, and where. Their texts may quote the file. */
  async reloadRefused(diagnostics: readonly Diagnostic[]): Promise<void> {
    const findings = diagnostics.map(({ code, path }) => ({ code, path }));
    const reason = "the configuration is not valid; the running one stays";
    await this.#tell({ ...this.#act("config.reload", { findings }), result: "refused", reason });
  }

  /** Records what happens in any case. */
  async #tell(act: AuditAct): Promise<void> {
    const ended = new AbortController();
    const patience = sleep(STOP_PATIENCE_MS, "late", { signal: ended.signal }).catch(() => "ended");
    try {
      const outcome = await Promise.race([this.#trail.record(act), patience]);
      if (outcome === "late") this.#logger.error({ action: act.action }, "the audit trail does not answer");
    } catch (error) {
      this.#logger.error({ err: error, action: act.action }, "an act is missing in the audit trail");
    } finally {
      ended.abort();
    }
  }

  #act(action: string, after: Readonly<Record<string, unknown>>): AuditAct {
    return {
      organizationId: INSTALLATION,
      actor: "system",
      action,
      object: `process:${hostname()}/${process.pid}`,
      before: null,
      after: { ...after, system_user: systemUser() },
      address: null,
      requestId: null,
      result: "done",
      reason: null,
    };
  }
}

/** The account of the operating system that a process runs under. */
export function systemUser(): string {
  try {
    return userInfo().username;
  } catch {
    // An account without a name, as in some containers.
    return String(process.getuid?.() ?? "unknown");
  }
}
