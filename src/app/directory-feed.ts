import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";

const RETRY_MS = 500;

/** What can be read whole and tells of its changes: the directory, and what belongs to it. */
export interface FeedSource<T extends { readonly revision: number }> {
  load(): Promise<T>;
  subscribe(onChange: () => void): Promise<() => Promise<void>>;
}

/** Keeps a reading of the directory in memory, renewed after every change, whichever process made it. */
export class DirectoryFeed<T extends { readonly revision: number }> implements Component {
  readonly name = "directory feed";
  readonly #store: FeedSource<T>;
  readonly #logger: Logger;
  readonly #apply: (snapshot: T) => void;
  #unsubscribe: (() => Promise<void>) | null = null;
  /** Revision of the reading in force. */
  #revision = -1;
  #loading: Promise<void> | null = null;
  #stale = false;
  #stopped = false;
  #retry: NodeJS.Timeout | null = null;

  constructor(store: FeedSource<T>, options: { logger: Logger; apply: (snapshot: T) => void }) {
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
  #take(snapshot: T): void {
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
