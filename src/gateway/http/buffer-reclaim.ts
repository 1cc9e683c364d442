/**
 * Bytes of request bodies after which the young generation is collected. Bodies lie beside V8's heap: hundreds of them wait
 * for a collection that little garbage on the heap brings about, until their sum (64 MB, about twice what is counted here)
 * makes V8 mark the whole heap instead, which costs a hundred times as much as collecting its young part.
 */
const RECLAIM_EVERY_BYTES = 16 * 1024 * 1024;

/** Frees bodies that are no longer used, from time to time. Does nothing where the process was started without `--expose-gc`. */
export class BufferReclaim {
  readonly #collect: (() => void) | null;
  #bytes = 0;

  constructor(collect: (() => void) | null = minorCollection()) {
    this.#collect = collect;
  }

  /** A body of so many bytes has been read, or made of another. */
  read(bytes: number): void {
    this.#bytes += bytes;
    if (this.#bytes < RECLAIM_EVERY_BYTES) return;
    this.#bytes = 0;
    this.#collect?.();
  }
}

/** One for the process, as the heap is. */
export const bodyReclaim = new BufferReclaim();

function minorCollection(): (() => void) | null {
  const { gc } = globalThis;
  return gc === undefined ? null : () => gc({ type: "minor" });
}
