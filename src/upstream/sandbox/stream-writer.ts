import type { ServerResponse } from "node:http";

import type { Clock } from "../../core/clock.ts";
import type { Fault } from "./fault.ts";
import { PING, type Frame } from "./stream-frames.ts";

/** How fast deltas follow each other; with both null all at once. `delayMs` wins. */
export interface Pace {
  readonly tokensPerSecond: number | null;
  readonly delayMs: number | null;
}

export interface StreamWriterOptions {
  readonly frames: Iterator<Frame, void, undefined>;
  readonly pace: Pace;
  readonly fault: Fault | null;
  /** The in-stream error event of a cut of kind `error`. */
  readonly errorText: string;
  readonly pingIntervalMs: number;
  readonly clock: Clock;
  /** Called with the number of events whenever some have been written. */
  readonly onEvents: (count: number) => void;
}

/** How a stream ended: whole, cut by a fault, or left by its client. */
export type StreamEnd = "complete" | "cut" | "abandoned";

/** Events that are due at once are written together up to this size. */
const BATCH_CHARS = 16_384;

/**
 * Writes the events of one answer at the pace of generation. Frames are taken only when they are due and the socket has
 * room, so a slow reader slows the generation and a client that goes away ends it. Headers must have been set before.
 */
export class StreamWriter {
  readonly #response: ServerResponse;
  readonly #options: StreamWriterOptions;
  readonly #startMs: number;
  readonly #done = Promise.withResolvers<StreamEnd>();
  /** Position in the schedule that has been reached even if the clock stands still. */
  #reachedMs = 0;
  #taken: Frame | null = null;
  #sent = 0;
  #tokens = 0;
  #deltas = 0;
  #fault: Fault | null;
  #timer: NodeJS.Timeout | undefined;
  /** The socket has no room; `drain` ends that. */
  #isBlocked = false;
  /** A silence fault holds the stream. */
  #isSilent = false;
  #isOver = false;

  constructor(response: ServerResponse, options: StreamWriterOptions) {
    this.#response = response;
    this.#options = options;
    this.#fault = options.fault;
    this.#startMs = options.clock.monotonicMs();
  }

  /** Writes until the end. Never rejects. */
  run(): Promise<StreamEnd> {
    this.#response.once("close", () => this.#finish("abandoned"));
    this.#response.on("drain", () => {
      this.#isBlocked = false;
      this.#pump();
    });
    if (this.#response.destroyed) this.#finish("abandoned");
    this.#pump();
    return this.#done.promise;
  }

  #pump(): void {
    let batch = "";
    let count = 0;
    while (!this.#isOver && !this.#isBlocked && !this.#isSilent) {
      if (this.#isFaultDue()) {
        this.#write(batch, count);
        this.#inject();
        return;
      }
      const frame = this.#next();
      if (frame === null) {
        this.#options.onEvents(count);
        this.#isOver = true;
        this.#response.end(batch, () => this.#done.resolve("complete"));
        return;
      }
      const waitMs = this.#dueMs(frame) - this.#elapsedMs();
      if (waitMs > 0) {
        this.#write(batch, count);
        this.#sleep(waitMs);
        return;
      }
      batch += frame.text;
      count += 1;
      this.#pass(frame);
      if (batch.length >= BATCH_CHARS) {
        this.#write(batch, count);
        batch = "";
        count = 0;
      }
    }
  }

  #next(): Frame | null {
    if (this.#taken === null) {
      const step = this.#options.frames.next();
      this.#taken = step.done === true ? null : step.value;
    }
    return this.#taken;
  }

  #pass(frame: Frame): void {
    this.#taken = null;
    this.#sent += 1;
    this.#tokens += frame.tokens;
    if (frame.isDelta) this.#deltas += 1;
  }

  /** When a frame is due: a delta once its tokens have been generated, everything else right after what precedes it. */
  #dueMs(frame: Frame): number {
    const { delayMs, tokensPerSecond } = this.#options.pace;
    if (!frame.isDelta) return 0;
    if (delayMs !== null) return this.#deltas * delayMs;
    return tokensPerSecond === null ? 0 : ((this.#tokens + frame.tokens) * 1000) / tokensPerSecond;
  }

  #elapsedMs(): number {
    return Math.max(this.#reachedMs, this.#options.clock.monotonicMs() - this.#startMs);
  }

  #sleep(waitMs: number): void {
    const stepMs = Math.min(waitMs, this.#options.pingIntervalMs);
    const wakeMs = this.#elapsedMs() + stepMs;
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#reachedMs = wakeMs;
      if (stepMs < waitMs && !this.#isBlocked) this.#write(PING, 1);
      this.#pump();
    }, stepMs);
  }

  #write(text: string, count: number): void {
    if (text === "" || this.#isOver) return;
    this.#options.onEvents(count);
    if (!this.#response.write(text)) this.#isBlocked = true;
  }

  #isFaultDue(): boolean {
    const fault = this.#fault;
    return (fault?.kind === "cut" || fault?.kind === "silence") && this.#sent >= fault.afterEvents;
  }

  #inject(): void {
    const fault = this.#fault;
    this.#fault = null;
    if (fault?.kind === "silence") {
      this.#response.flushHeaders();
      this.#isSilent = true;
      // Without a duration only the client ends the silence.
      if (fault.durationMs !== undefined) this.#timer = setTimeout(() => this.#speakAgain(), fault.durationMs);
      return;
    }
    if (fault?.kind !== "cut" || this.#isOver) return;
    this.#isOver = true;
    if (fault.how === "error") this.#options.onEvents(1);
    if (fault.how === "destroy") destroyAfterFlush(this.#response);
    else this.#response.end(fault.how === "error" ? this.#options.errorText : "");
    this.#done.resolve("cut");
  }

  #speakAgain(): void {
    this.#isSilent = false;
    this.#pump();
  }

  #finish(end: StreamEnd): void {
    clearTimeout(this.#timer);
    this.#isOver = true;
    this.#options.frames.return?.();
    // A promise that has been resolved by another end keeps that one.
    this.#done.resolve(end);
  }
}

/** Destroys the connection of a response once everything written to it so far has reached the kernel. */
export function destroyAfterFlush(response: ServerResponse): void {
  response.flushHeaders();
  const socket = response.socket;
  socket?.write("", () => socket.destroy());
}
