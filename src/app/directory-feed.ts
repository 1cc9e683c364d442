import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import type { DirectorySnapshot, DirectoryStore } from "../store/ports/directory.ts";

const RETRY_MS = 500;

/** Keeps a reading of the directory in memory, renewed after every change, whichever process made it. */
export class DirectoryFeed implements Component {
  readonly name = "directory feed";
  readonly #store: DirectoryStore;
  readonly #logger: Logger;
  readonly #apply: (snapshot: DirectorySnapshot) => void;
  #unsubscribe: (() => Promise<void>) | null = null;
  /** Revision of the reading in force. */
  #revision = -1;
  #loading: Promise<void> | null = null;
  #stale = false;
  #stopped = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(store: DirectoryStore, options: { logger: Logger; apply: (snapshot: DirectorySnapshot) => void }) {
    this.#store = store;
    this.#logger = options.logger;
    this.#apply = options.apply;
  }

  /** Rejects when the first reading fails. */
  async start(): Promise<void> {
    this.#unsubscribe = await this.#store.subscribe(() => this.#refresh());
    this.#take(await this.#store.load());
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    if (this.#retry !== null) clearTimeout(this.#retry);
    await this.#unsubscribe?.();
    await this.#loading;
  }

  /** One reading at a time; a change during one means another after it. */
  #refresh(): void {
    if (this.#stopped) return;
    if (this.#loading !== null) {
      this.#stale = true;
      return;
    }
    this.#loading = this.#store
      .load()
      .then((snapshot) => this.#take(snapshot))
      .catch((error: unknown) => this.#failed(error))
      .finally(() => {
        this.#loading = null;
        if (!this.#stale) return;
        this.#stale = false;
        this.#refresh();
      });
  }

  /** Applies a reading, unless a newer one was faster. */
  #take(snapshot: DirectorySnapshot): void {
    if (this.#stopped || snapshot.revision < this.#revision) return;
    this.#apply(snapshot);
    this.#revision = snapshot.revision;
  }

  #failed(error: unknown): void {
    if (this.#stopped) return;
    this.#logger.warn({ err: error }, "cannot read the directory; the last reading stays in force");
    this.#retry = setTimeout(() => this.#refresh(), RETRY_MS).unref();
  }
}
