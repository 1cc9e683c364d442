import { isDeepStrictEqual } from "node:util";

import { type Clock, systemClock } from "../core/clock.ts";
import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import { deepFreeze } from "./deep-freeze.ts";
import { type Diagnostic, formatDiagnostic } from "./diagnostic.ts";
import { FileWatch, fingerprintOf } from "./file-watch.ts";
import { loadConfig, type LoadOptions, type LoadResult, type LoadSuccess } from "./load.ts";
import { changedSettings, keepRestartSettings, settingsNeedingRestart } from "./restart.ts";
import type { Config } from "./schema.ts";

/** What a reload changed. Paths only: values may be secret. */
export interface ConfigChange {
  /** Settings that now have another value. Empty when only the content of files such as certificates changed. */
  readonly settings: readonly string[];
  /** Settings that were changed in the file but keep their old value until Weir is restarted. */
  readonly needRestart: readonly string[];
}

export type ReloadResult =
  | { readonly ok: true; readonly change: ConfigChange }
  | { readonly ok: false; readonly diagnostics: readonly Diagnostic[] };

export interface ConfigWatcherOptions {
  /** How the running configuration was loaded; reloads go the same way. */
  readonly load: LoadOptions;
  /** The configuration that Weir was started with. */
  readonly initial: LoadSuccess;
  /**
   * Puts a configuration into effect, all of it or (by throwing) nothing. Called one at a time. Also called when only
   * certificates or secrets in files changed.
   */
  readonly onChange: (config: Config, previous: Config, change: ConfigChange) => void | Promise<void>;
  /** Told of files that were not taken for what is in them. Must not reject. */
  readonly onRefuse?: (diagnostics: readonly Diagnostic[]) => void | Promise<void>;
  readonly logger: Logger;
  readonly clock?: Clock;
  /** How long changed files must stay the same before they are read, in milliseconds. Default 100. */
  readonly settleMs?: number;
  /** How often files are looked at without an event, in milliseconds. Default 10,000. */
  readonly pollMs?: number;
}

/** Why the last reload did not take effect. */
export interface ReloadError {
  readonly atMs: number;
  readonly diagnostics: readonly Diagnostic[];
}

/** How often files that change while they are read are read again before taking them as they are. */
const MAX_LOAD_ATTEMPTS = 5;

/**
 * Keeps the configuration up to date with its files. A change is loaded and checked as a whole; if anything is wrong,
 * the running configuration stays and the reason is logged and kept in `lastError`.
 */
export class ConfigWatcher implements Component {
  readonly name = "config-watcher";
  readonly #options: ConfigWatcherOptions;
  readonly #clock: Clock;
  readonly #watch: FileWatch;
  #current: Config;
  #dependencies: readonly string[];
  /** Files that were empty in the configuration in effect. */
  #blankFiles: readonly string[];
  #lastError: ReloadError | null = null;
  #needRestart: readonly string[] = [];
  #queue: Promise<unknown> = Promise.resolve();
  #isStopped = false;

  constructor(options: ConfigWatcherOptions) {
    this.#options = options;
    this.#clock = options.clock ?? systemClock;
    this.#current = options.initial.config;
    this.#dependencies = options.initial.dependencies;
    this.#blankFiles = options.initial.blankFiles;
    this.#watch = new FileWatch({
      logger: options.logger,
      settleMs: options.settleMs ?? 100,
      pollMs: options.pollMs ?? 10_000,
      onChange: () => void this.reload(),
    });
  }

  /** The configuration in effect. */
  get current(): Config {
    return this.#current;
  }

  /** Why the files are not what is running; null when they are. */
  get lastError(): ReloadError | null {
    return this.#lastError;
  }

  /** Settings whose new value waits for a restart. */
  get needRestart(): readonly string[] {
    return this.#needRestart;
  }

  async start(): Promise<void> {
    await this.#watch.open(this.#dependencies);
    // The files may have changed since they were loaded; starting a database in between takes a while.
    await this.#enqueue(async () => {
      const loaded = await this.#load();
      const isCurrent = loaded.ok && isDeepStrictEqual(loaded.config, this.#current);
      return isCurrent ? this.#unchanged() : this.#use(loaded);
    });
  }

  async stop(): Promise<void> {
    this.#isStopped = true;
    await this.#watch.close();
    await this.#queue;
  }

  /** Reads the files now, for SIGHUP. Never rejects; reloads run one after another. */
  reload(): Promise<ReloadResult> {
    return this.#enqueue(async () => this.#use(await this.#load()));
  }

  #unchanged(): ReloadResult {
    return { ok: true, change: { settings: [], needRestart: this.#needRestart } };
  }

  #enqueue(work: () => Promise<ReloadResult>): Promise<ReloadResult> {
    const result = this.#queue.then(async () => {
      if (this.#isStopped) return this.#unchanged();
      try {
        return await work();
      } catch (error) {
        return this.#refuse([applyingFailed(error)]);
      }
    });
    this.#queue = result;
    return result;
  }

  /** Loads until no file has changed meanwhile, so that files that belong together are read together. */
  async #load(): Promise<LoadResult> {
    const { load, initial } = this.#options;
    // Once started from a file, a vanished file is an error and not a reason to fall back to defaults.
    const options = { ...load, path: load.path ?? initial.mainFile ?? undefined };
    for (let attempt = 1; ; attempt++) {
      const before = await fingerprintOf(this.#dependencies);
      const loaded = await loadConfig(options);
      const after = await fingerprintOf(this.#dependencies);
      const isConsistent = isDeepStrictEqual(loaded.dependencies, this.#dependencies) && before === after;
      this.#dependencies = loaded.dependencies;
      if (!isConsistent && attempt < MAX_LOAD_ATTEMPTS) continue;
      await this.#watch.follow(loaded.dependencies, after);
      return loaded;
    }
  }

  async #use(loaded: LoadResult): Promise<ReloadResult> {
    const wrong = loaded.ok ? this.#emptied(loaded) : loaded.diagnostics;
    if (loaded.ok && wrong.length === 0) return await this.#apply(loaded);
    await this.#options.onRefuse?.(wrong);
    return this.#refuse(wrong);
  }

  #emptied({ blankFiles }: LoadSuccess): readonly Diagnostic[] {
    const emptied = blankFiles.find((file) => !this.#blankFiles.includes(file));
    return emptied === undefined ? [] : [fileEmptied(emptied)];
  }

  async #apply(loaded: LoadSuccess): Promise<ReloadResult> {
    const previous = this.#current;
    const needRestart = settingsNeedingRestart(previous, loaded.config);
    const next = deepFreeze(keepRestartSettings(previous, loaded.config));
    const change = { settings: changedSettings(previous, next), needRestart };
    await this.#options.onChange(next, previous, change);
    this.#current = next;
    this.#blankFiles = loaded.blankFiles;
    this.#lastError = null;
    this.#needRestart = needRestart;
    const { logger } = this.#options;
    for (const warning of loaded.warnings) logger.warn({ diagnostic: warning }, "configuration warning");
    logger.info({ settings: change.settings }, "configuration reloaded");
    if (needRestart.length > 0) logger.warn({ settings: needRestart }, "these settings change only after a restart");
    return { ok: true, change };
  }

  #refuse(diagnostics: readonly Diagnostic[]): ReloadResult {
    this.#lastError = { atMs: this.#clock.nowMs(), diagnostics };
    const explanation = diagnostics.map(formatDiagnostic).join("\n");
    this.#options.logger.error({ diagnostics, explanation }, "configuration not reloaded; the running one stays");
    return { ok: false, diagnostics };
  }
}

/**
 * Who writes a file in place empties it first. What is read at that moment is valid and means "all defaults": without limits
 * and budgets, which must not come into effect for want of a second look.
 */
function fileEmptied(file: string): Diagnostic {
  return {
    severity: "error",
    code: "file_emptied",
    origin: file,
    file,
    line: null,
    column: null,
    path: "",
    message: `the configuration file ${file} has become empty, as it is while it is being written`,
    fix: "Write its content again. To go back to the defaults, write a comment into it, or remove it if it is an overlay.",
    excerpt: null,
  };
}

/** The subscriber could not put the configuration into effect. */
function applyingFailed(error: unknown): Diagnostic {
  return {
    severity: "error",
    code: "not_applied",
    origin: "reload",
    file: null,
    line: null,
    column: null,
    path: "",
    message: `the new configuration could not be put into effect: ${error instanceof Error ? error.message : String(error)}`,
    fix: "Mend the cause and reload again (SIGHUP).",
    excerpt: null,
  };
}
