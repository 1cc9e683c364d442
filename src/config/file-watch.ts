import { createHash } from "node:crypto";
import { type FSWatcher, watch } from "node:fs";
import { realpath } from "node:fs/promises";
import path from "node:path";

import type { Logger } from "../core/logger.ts";
import { readText } from "./source/read-source.ts";

export interface FileWatchOptions {
  readonly logger: Logger;
  /** Called when the content of at least one file has changed and has then stayed the same for `settleMs`. */
  readonly onChange: () => void;
  readonly settleMs: number;
  /** How often to look even without being told of an event, for file systems that tell nothing (NFS, some mounts). */
  readonly pollMs: number;
}

/**
 * Tells when the content of any of a set of files changes. It watches the directories, not the files, because editors
 * and Kubernetes put a new file (or symbolic link) in the place of the old one; and it compares contents, because events
 * also come for neighbours, for changes of attributes, and while a file is half written.
 */
export class FileWatch {
  readonly #options: FileWatchOptions;
  #files: readonly string[] = [];
  #known = "";
  #watchers = new Map<string, FSWatcher>();
  #poll: NodeJS.Timeout | undefined;
  #timer: NodeJS.Timeout | undefined;
  #lastSeen = "";
  #looking: Promise<void> = Promise.resolve();
  #isOpen = false;

  constructor(options: FileWatchOptions) {
    this.#options = options;
  }

  /** Begins to watch `files`. Their present content counts as known. */
  async open(files: readonly string[]): Promise<void> {
    this.#isOpen = true;
    await this.follow(files, await fingerprintOf(files));
    this.#poll = setInterval(() => this.#look(), this.#options.pollMs);
    this.#poll.unref();
  }

  /** Watches `files` from now on; `known` is the fingerprint of the content that is already in use. */
  async follow(files: readonly string[], known: string): Promise<void> {
    this.#files = files;
    this.#known = known;
    const directories = await directoriesOf(files);
    if (!this.#isOpen) return;
    for (const [directory, watcher] of this.#watchers) {
      if (directories.has(directory)) continue;
      watcher.close();
      this.#watchers.delete(directory);
    }
    for (const directory of directories) this.#watchDirectory(directory);
  }

  /** Ends all watching; when it resolves, `onChange` will not be called again. */
  async close(): Promise<void> {
    this.#isOpen = false;
    clearInterval(this.#poll);
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (const watcher of this.#watchers.values()) watcher.close();
    this.#watchers.clear();
    await this.#looking;
  }

  #watchDirectory(directory: string): void {
    if (this.#watchers.has(directory)) return;
    const lose = (error: unknown) => {
      this.#watchers.get(directory)?.close();
      this.#watchers.delete(directory);
      const reason = error instanceof Error ? error.message : String(error);
      this.#options.logger.debug({ directory, reason }, "a directory cannot be watched; its files are polled");
    };
    try {
      const watcher = watch(directory, { persistent: false }, () => this.#look());
      watcher.on("error", lose);
      this.#watchers.set(directory, watcher);
    } catch (error) {
      // The directory is not there, or the system has no watches left: polling still finds changes.
      lose(error);
    }
  }

  /** Looks at the files after a while, unless that is already planned. Never put off, so a busy neighbour delays nothing. */
  #look(): void {
    if (!this.#isOpen || this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#looking = this.#looking.then(() => this.#compare());
    }, this.#options.settleMs);
    this.#timer.unref();
  }

  /** A change counts once two looks in a row see the same content: a file that is being written is left alone. */
  async #compare(): Promise<void> {
    if (!this.#isOpen) return;
    const content = await fingerprintOf(this.#files);
    const isSettled = content === this.#lastSeen;
    this.#lastSeen = content;
    if (!this.#isOpen || content === this.#known) return;
    if (!isSettled) return this.#look();
    this.#known = content;
    this.#options.onChange();
  }
}

/** A digest of the files' names and contents. Files that cannot be read count by the reason why. */
export async function fingerprintOf(files: readonly string[]): Promise<string> {
  const hash = createHash("sha256");
  for (const file of [...files].sort()) {
    const reading = await readText(file);
    const content = "text" in reading ? `text:${reading.text}` : `problem:${reading.problem}`;
    hash.update(`${file.length}:${file}${content.length}:${content}`);
  }
  return hash.digest("hex");
}

/** The directories in which a change of the files shows: where they are named, and where links lead to. */
async function directoriesOf(files: readonly string[]): Promise<Set<string>> {
  const directories = new Set<string>();
  for (const file of files) {
    directories.add(path.dirname(file));
    try {
      directories.add(path.dirname(await realpath(file)));
    } catch {
      // Not there (yet): its directory will tell when it appears.
    }
  }
  return directories;
}
