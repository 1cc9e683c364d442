import { once } from "node:events";
import type { WriteStream } from "node:tty";

import { confirm, isCancel } from "@clack/prompts";

import { wantsColors } from "./style.ts";
import type { Terminal, TextSink } from "./terminal.ts";

const INTERRUPTS = ["SIGINT", "SIGTERM"] as const;

/** The terminal (or pipes) of this process. */
export function processTerminal(env: Readonly<Record<string, string | undefined>>): Terminal {
  const { stdin, stdout, stderr } = process;
  return {
    out: sinkOf(stdout, env),
    err: sinkOf(stderr, env),
    isInteractive: stdin.isTTY && stderr.isTTY,
    async confirm(question) {
      // On stderr, so that stdout carries the result alone.
      const answer = await confirm({ message: question, initialValue: false, output: stderr });
      return isCancel(answer) ? null : answer;
    },
    onInterrupt(listener) {
      for (const signal of INTERRUPTS) process.once(signal, listener);
      return () => {
        for (const signal of INTERRUPTS) process.off(signal, listener);
      };
    },
  };
}

function sinkOf(stream: WriteStream, env: Readonly<Record<string, string | undefined>>): TextSink {
  let isOpen = true;
  stream.on("error", (error: NodeJS.ErrnoException) => {
    // The reader has seen enough (`weir usage | head`): not an error of ours.
    if (error.code !== "EPIPE") throw error;
    isOpen = false;
  });
  return {
    isTty: stream.isTTY,
    hasColors: wantsColors(stream.isTTY, env),
    get columns() {
      // A pseudo-terminal that nobody has sized says 0.
      return stream.isTTY && stream.columns > 0 ? stream.columns : null;
    },
    write(text) {
      if (isOpen) stream.write(text);
    },
    async drained() {
      if (!isOpen || !stream.writableNeedDrain) return;
      // A reader that went away never drains: its pipe closes instead.
      const ended = new AbortController();
      const { signal } = ended;
      const seen = ["drain", "close", "error"].map((event) => once(stream, event, { signal }).catch(() => {}));
      await Promise.race(seen);
      ended.abort();
    },
  };
}
