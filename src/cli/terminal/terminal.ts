/** One of the streams that a command writes to. */
export interface TextSink {
  readonly isTty: boolean;
  readonly hasColors: boolean;
  /** Width in characters; null where there is no screen to fit on. */
  readonly columns: number | null;
  write(text: string): void;
  /** Resolves when the reader has kept up, for output that does not fit into memory. Absent where nothing waits. */
  drained?(): Promise<void>;
}

/** The person or script at the other end, so that tests can stand in for it. */
export interface Terminal {
  /** For results: what a script would read. */
  readonly out: TextSink;
  /** For everything else: notes, progress, questions, errors. */
  readonly err: TextSink;
  /** Whether somebody is there to answer a question. */
  readonly isInteractive: boolean;
  /** Asks a question; resolves to null when the person cancels (Ctrl-C). Only where `isInteractive`. */
  confirm(question: string): Promise<boolean | null>;
  /**
   * Calls `listener` at the first Ctrl-C or SIGTERM until the returned function is called. A second one ends the process
   * as it would have without a listener.
   */
  onInterrupt(listener: () => void): () => void;
}
