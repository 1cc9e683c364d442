import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { stripVTControlCharacters } from "node:util";

import { eventually } from "../harness/waiting.ts";

const PATIENCE_MS = 60_000;

/** A program in a terminal of its own (by util-linux's `script`), typed at and read as a person would. */
export class Terminal {
  readonly #child: ChildProcess;
  #shown = "";

  constructor(command: string, options: { cwd: string; env: Readonly<Record<string, string>> }) {
    const inTerminal = `stty rows 40 cols 120; exec ${command}`;
    this.#child = spawn("script", ["-qfec", inTerminal, "/dev/null"], {
      ...options,
      stdio: ["pipe", "pipe", "ignore"],
    });
    this.#child.stdout?.setEncoding("utf8").on("data", (text: string) => (this.#shown += text));
    this.#child.stdin?.on("error", () => {}); // it ended first: the next `shows` says so
  }

  /** Resolves when what was shown since the last key matches; blanks do not count, since terminals skip them. */
  async shows(pattern: RegExp): Promise<void> {
    await eventually(
      `the terminal shows ${pattern}`,
      () => {
        if (pattern.test(this.#text)) return true;
        if (this.#child.exitCode === null) return false;
        throw new Error(`the program ended with ${this.#child.exitCode}: ${this.#text.slice(-500)}`);
      },
      PATIENCE_MS,
    );
  }

  /** Types, and forgets what was shown before. */
  type(keys: string): void {
    this.#shown = "";
    this.#child.stdin?.write(keys);
  }

  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, "exit");
    this.#child.kill("SIGKILL");
    await ended;
  }

  get #text(): string {
    return stripVTControlCharacters(this.#shown).replaceAll(/\s+/g, "");
  }
}
