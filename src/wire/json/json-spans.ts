import { WeirError } from "../../core/weir-error.ts";

/** A stretch of a text, `end` exclusive. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** One member of a JSON object: its decoded key and where its value lies. */
export interface Member extends Span {
  readonly key: string;
}

const QUOTE = 34;
const COMMA = 44;
const BACKSLASH = 92;
const CLOSE_BRACKET = 93;
const CLOSE_BRACE = 125;

/**
 * Finds where values lie in a JSON text that is known to be valid, so that single ones can be read or replaced while every
 * other byte stays as it came.
 */
export class JsonSpans {
  readonly #text: string;
  readonly #maxDepth: number;

  /** A value that is nested deeper than `maxDepth` within itself is refused. */
  constructor(text: string, maxDepth: number) {
    this.#text = text;
    this.#maxDepth = maxDepth;
  }

  /** Where the text's one value begins. */
  get root(): number {
    return this.#skipSpace(0);
  }

  /** The members of the object that begins at `start`, in order, repeats included. */
  *membersOf(start: number): Generator<Member> {
    const text = this.#text;
    for (let at = this.#skipSpace(start + 1); text.charCodeAt(at) !== CLOSE_BRACE; at = this.#next(at)) {
      const keyEnd = this.#endOfString(at);
      const raw = text.slice(at + 1, keyEnd - 1);
      const key = raw.includes("\\") ? String(JSON.parse(text.slice(at, keyEnd))) : raw;
      const value = this.#skipSpace(this.#skipSpace(keyEnd) + 1);
      at = this.#endOfValue(value);
      yield { key, start: value, end: at };
    }
  }

  /** The values of the array that begins at `start`, in order. */
  *itemsOf(start: number): Generator<Span> {
    const text = this.#text;
    for (let at = this.#skipSpace(start + 1); text.charCodeAt(at) !== CLOSE_BRACKET; at = this.#next(at)) {
      const value = at;
      at = this.#endOfValue(value);
      yield { start: value, end: at };
    }
  }

  /** From the end of one value to the beginning of the next, or to the closing bracket. */
  #next(at: number): number {
    const after = this.#skipSpace(at);
    return this.#text.charCodeAt(after) === COMMA ? this.#skipSpace(after + 1) : after;
  }

  #endOfValue(start: number): number {
    const text = this.#text;
    let depth = 0;
    for (let at = start; at < text.length; at++) {
      const code = text.charCodeAt(at);
      if (code === QUOTE) {
        at = this.#endOfString(at) - 1;
        if (depth === 0) return at + 1;
      } else if (code === 123 || code === 91) {
        if (++depth > this.#maxDepth) {
          throw new WeirError("weir:request:invalid_field", "The request is nested too deeply.");
        }
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) {
        // At depth 0 it closes what a number or a literal stands in.
        if (depth === 0) return at;
        if (--depth === 0) return at + 1;
      } else if (depth === 0 && (code === COMMA || code <= 32)) return at;
    }
    return text.length;
  }

  /** The offset after the closing quote of the string that opens at `start`. */
  #endOfString(start: number): number {
    for (let quote = this.#text.indexOf('"', start + 1); ; quote = this.#text.indexOf('"', quote + 1)) {
      let before = quote - 1;
      while (this.#text.charCodeAt(before) === BACKSLASH) before--;
      if (((quote - 1 - before) & 1) === 0) return quote + 1;
    }
  }

  #skipSpace(at: number): number {
    while (this.#text.charCodeAt(at) <= 32) at++;
    return at;
  }
}
