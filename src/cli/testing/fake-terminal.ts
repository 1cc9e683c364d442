import type { Terminal, TextSink } from "../terminal/terminal.ts";

/** How a test wants the terminal to be. By default: pipes, nobody there. */
export interface FakeTerminalOptions {
  readonly isTty?: boolean;
  readonly hasColors?: boolean;
  readonly columns?: number;
  /** What the person answers to each question in turn; null cancels. Makes the terminal interactive. */
  readonly answers?: readonly (boolean | null)[];
}

/** A terminal that remembers what was written to it. */
export class FakeTerminal implements Terminal {
  readonly out: TextSink;
  readonly err: TextSink;
  readonly isInteractive: boolean;
  readonly questions: string[] = [];
  readonly #answers: (boolean | null)[];
  readonly #written = { out: "", err: "" };
  readonly #listeners = new Set<() => void>();

  constructor(options: FakeTerminalOptions = {}) {
    this.out = this.#sink("out", options);
    this.err = this.#sink("err", options);
    this.isInteractive = options.answers !== undefined;
    this.#answers = [...(options.answers ?? [])];
  }

  get outText(): string {
    return this.#written.out;
  }

  get errText(): string {
    return this.#written.err;
  }

  async confirm(question: string): Promise<boolean | null> {
    this.questions.push(question);
    const answer = this.#answers.shift();
    if (answer === undefined) throw new Error(`nobody expected the question: ${question}`);
    return answer;
  }

  onInterrupt(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Presses Ctrl-C. */
  interrupt(): void {
    for (const listener of this.#listeners) listener();
  }

  /** How many wait for a Ctrl-C. */
  get listenerCount(): number {
    return this.#listeners.size;
  }

  #sink(name: "out" | "err", { isTty = false, hasColors = false, columns = 80 }: FakeTerminalOptions): TextSink {
    return {
      isTty,
      hasColors,
      columns: isTty ? columns : null,
      write: (text) => {
        this.#written[name] += text;
      },
    };
  }
}
