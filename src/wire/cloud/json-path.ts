/** Steps from the document's top: a member's name, which is ASCII, or `*` for each element of an array. */
export type JsonPath = readonly string[];

/** `messages[].content[].source` as steps. */
export function jsonPath(text: string): JsonPath {
  return text.split(".").flatMap((step) => (step.endsWith("[]") ? [step.slice(0, -2), "*"] : [step]));
}

/** A member that a path leads to. */
export interface FoundMember {
  /** With positions: `messages[2].content[0].source`. */
  readonly path: string;
  readonly valueStart: number;
  readonly valueEnd: number;
}

/** What was found, and the stretches to be cut so that the found members are gone and the rest is valid. */
export interface FoundMembers {
  readonly members: readonly FoundMember[];
  readonly cuts: readonly { readonly start: number; readonly end: number }[];
}

/** A member of an object that is being walked. */
interface WalkedMember {
  readonly found: boolean;
  readonly keyStart: number;
  readonly valueEnd: number;
}

/**
 * Finds the members that the paths lead to below one value, by walking the text: it builds nothing and skips every value
 * that no path enters. `text` is the document read as Latin-1 (so that offsets are bytes), valid JSON.
 * `at` is the offset of the value, `label` its name in what is reported.
 */
export function findMembers(
  text: string,
  { at, label, paths }: { at: number; label: string; paths: readonly JsonPath[] },
): FoundMembers {
  const walk = new Walk(text);
  walk.value(at, label, paths);
  return walk;
}

const QUOTE = 34;
const COMMA = 44;
const OPEN_ARRAY = 91;
const BACKSLASH = 92;
const CLOSE_ARRAY = 93;
const OPEN_OBJECT = 123;
const CLOSE_OBJECT = 125;

class Walk implements FoundMembers {
  readonly members: FoundMember[] = [];
  readonly cuts: { start: number; end: number }[] = [];
  readonly #text: string;

  constructor(text: string) {
    this.#text = text;
  }

  /** Walks the value at `start`; returns the offset after it. It goes no deeper than the paths are long. */
  value(start: number, label: string, paths: readonly JsonPath[]): number {
    if (paths.length > 0) {
      const code = this.#text.charCodeAt(start);
      if (code === OPEN_OBJECT) return this.#object(start, label, paths);
      if (code === OPEN_ARRAY) return this.#array(start, label, paths);
    }
    return this.#skip(start);
  }

  #array(start: number, label: string, paths: readonly JsonPath[]): number {
    const deeper = paths.filter((path) => path[0] === "*" && path.length > 1).map((path) => path.slice(1));
    let at = this.#space(start + 1);
    if (this.#text.charCodeAt(at) === CLOSE_ARRAY) return at + 1;
    for (let index = 0; at < this.#text.length; index++) {
      at = this.#space(this.value(at, `${label}[${index}]`, deeper));
      if (this.#text.charCodeAt(at) !== COMMA) return at + 1;
      at = this.#space(at + 1);
    }
    return at;
  }

  #object(start: number, label: string, paths: readonly JsonPath[]): number {
    const walked: WalkedMember[] = [];
    let at = this.#space(start + 1);
    if (this.#text.charCodeAt(at) === CLOSE_OBJECT) return at + 1;
    while (at < this.#text.length) {
      const member = this.#member(at, label, paths);
      walked.push(member);
      at = this.#space(member.valueEnd);
      if (this.#text.charCodeAt(at) !== COMMA) break;
      at = this.#space(at + 1);
    }
    this.#cut(walked);
    return at + 1;
  }

  #member(keyStart: number, label: string, paths: readonly JsonPath[]): WalkedMember {
    const keyEnd = this.#endOfString(keyStart);
    const raw = this.#text.slice(keyStart + 1, keyEnd - 1);
    const key = raw.includes("\\") ? String(JSON.parse(this.#text.slice(keyStart, keyEnd))) : raw;
    const valueStart = this.#space(this.#text.indexOf(":", keyEnd) + 1);
    const matching = paths.filter((path) => path[0] === key);
    const found = matching.some((path) => path.length === 1);
    const path = `${label}.${key}`;
    const deeper = matching.filter((path) => path.length > 1).map((path) => path.slice(1));
    const valueEnd = this.value(valueStart, path, deeper);
    if (found) this.members.push({ path, valueStart, valueEnd });
    return { found, keyStart, valueEnd };
  }

  #cut(walked: readonly WalkedMember[]): void {
    let keptEnd = -1;
    for (let i = 0; i < walked.length; i++) {
      const member = walked[i];
      if (member === undefined) return;
      if (!member.found) {
        keptEnd = member.valueEnd;
        continue;
      }
      // With its comma: the one before it, or, where nothing before it stays, the one after.
      const next = walked[i + 1];
      if (keptEnd >= 0) this.cuts.push({ start: keptEnd, end: member.valueEnd });
      else this.cuts.push({ start: member.keyStart, end: next?.keyStart ?? member.valueEnd });
      if (keptEnd >= 0) keptEnd = member.valueEnd;
    }
  }

  /** The offset after any value, which is not looked into. */
  #skip(start: number): number {
    const text = this.#text;
    let depth = 0;
    for (let i = start; i < text.length; i++) {
      const code = text.charCodeAt(i);
      if (code === QUOTE) {
        i = this.#endOfString(i) - 1;
        if (depth === 0) return i + 1;
      } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) depth++;
      else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
        if (depth === 0) return i;
        if (--depth === 0) return i + 1;
      } else if (depth === 0 && (code === COMMA || code <= 32)) return i;
    }
    return text.length;
  }

  #endOfString(start: number): number {
    let quote = start;
    for (;;) {
      quote = this.#text.indexOf('"', quote + 1);
      if (quote < 0) return this.#text.length;
      let before = quote - 1;
      while (this.#text.charCodeAt(before) === BACKSLASH) before--;
      if (((quote - 1 - before) & 1) === 0) return quote + 1;
    }
  }

  #space(start: number): number {
    let at = start;
    while (this.#text.charCodeAt(at) <= 32) at++;
    return at;
  }
}
