import { crc32 } from "node:zlib";

import { WeirError } from "../../core/weir-error.ts";
import { damaged } from "./damaged.ts";
import { CHECKSUM_BYTES, LENGTHS_BYTES, MAX_FRAME_BYTES, MIN_FRAME_BYTES, PRELUDE_BYTES } from "./frame-layout.ts";
import { lengthsSum } from "./lengths-sum.ts";

/** Where one verified frame lies in a buffer: headers from `headersStart` to `payloadStart`, payload to `payloadEnd`. */
export type FrameVisitor = (buffer: Buffer, headersStart: number, payloadStart: number, payloadEnd: number) => void;

/**
 * Finds the frames of an AWS event stream in passing chunks, however they are cut, and verifies both checksums of each
 * before it is visited. Only a frame that is cut is copied.
 */
export class FrameReader {
  readonly #visit: FrameVisitor;
  readonly #maxFrameBytes: number;
  /** Bytes of a frame whose end has not come yet, and how many there must be before it can be read on. */
  #pieces: Buffer[] = [];
  #heldBytes = 0;
  #neededBytes = PRELUDE_BYTES;
  #failure: WeirError | null = null;

  constructor(visit: FrameVisitor, maxFrameBytes = MAX_FRAME_BYTES) {
    this.#visit = visit;
    this.#maxFrameBytes = maxFrameBytes;
  }

  /** Whether the stream stands between two frames. A stream that ends elsewhere was cut. */
  get atBoundary(): boolean {
    return this.#heldBytes === 0;
  }

  /**
   * Takes the next chunk; calls back for each frame that it completes. Throws WeirError when the bytes are no such stream,
   * and again at each further call: what follows damage cannot be told apart.
   */
  push(chunk: Buffer): void {
    if (this.#failure !== null) throw this.#failure;
    try {
      this.#read(chunk, this.#heldBytes === 0 ? 0 : this.#finishHeld(chunk));
    } catch (error) {
      if (error instanceof WeirError) this.#failure = error;
      throw error;
    }
  }

  /** Reads whole frames from `from` on and keeps what is left. */
  #read(chunk: Buffer, from: number): void {
    let at = from;
    for (;;) {
      const left = chunk.length - at;
      if (left === 0) return;
      const frameBytes = left < PRELUDE_BYTES ? PRELUDE_BYTES : this.#frameBytes(chunk, at);
      if (left < frameBytes) {
        this.#hold(chunk.subarray(at), frameBytes);
        return;
      }
      this.#frame(chunk, at, frameBytes);
      at += frameBytes;
    }
  }

  /** Completes the frame that began earlier as far as the chunk goes. Returns where, in the chunk, it ends. */
  #finishHeld(chunk: Buffer): number {
    let at = 0;
    for (;;) {
      const take = Math.min(this.#neededBytes - this.#heldBytes, chunk.length - at);
      this.#pieces.push(chunk.subarray(at, at + take));
      this.#heldBytes += take;
      at += take;
      if (this.#heldBytes < this.#neededBytes) return at;
      const held = Buffer.concat(this.#pieces, this.#heldBytes);
      const frameBytes = this.#frameBytes(held, 0);
      if (held.length === frameBytes) {
        this.#pieces = [];
        this.#heldBytes = 0;
        this.#neededBytes = PRELUDE_BYTES;
        this.#frame(held, 0, frameBytes);
        return at;
      }
      this.#pieces = [held];
      this.#neededBytes = frameBytes;
    }
  }

  #hold(bytes: Buffer, neededBytes: number): void {
    this.#pieces = [bytes];
    this.#heldBytes = bytes.length;
    this.#neededBytes = neededBytes;
  }

  /** The length of the frame that begins at `start`, its prelude verified. */
  #frameBytes(buffer: Buffer, start: number): number {
    if (lengthsSum(buffer, start) !== buffer.readUInt32BE(start + LENGTHS_BYTES)) {
      throw damaged("the checksum of a frame's prelude does not match");
    }
    const frameBytes = buffer.readUInt32BE(start);
    const headersBytes = buffer.readUInt32BE(start + 4);
    if (frameBytes > this.#maxFrameBytes) {
      throw damaged(`a frame of ${frameBytes} bytes is longer than the ${this.#maxFrameBytes} bytes that are taken`);
    }
    if (frameBytes < MIN_FRAME_BYTES || headersBytes > frameBytes - MIN_FRAME_BYTES) {
      throw damaged(`a frame of ${frameBytes} bytes with ${headersBytes} bytes of headers is impossible`);
    }
    return frameBytes;
  }

  #frame(buffer: Buffer, start: number, frameBytes: number): void {
    const payloadEnd = start + frameBytes - CHECKSUM_BYTES;
    // The prelude's checksum, verified already, is that of the first eight bytes: the frame's goes on from it.
    const verified = buffer.readUInt32BE(start + LENGTHS_BYTES);
    const sum = crc32(buffer.subarray(start + LENGTHS_BYTES, payloadEnd), verified);
    if (sum !== buffer.readUInt32BE(payloadEnd)) throw damaged("the checksum of a frame does not match");
    const headersStart = start + PRELUDE_BYTES;
    this.#visit(buffer, headersStart, headersStart + buffer.readUInt32BE(start + 4), payloadEnd);
  }
}
