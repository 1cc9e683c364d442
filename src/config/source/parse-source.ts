import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument, type Document } from "yaml";

import type { Path } from "./path.ts";
import { placeOutsideFiles, type Place } from "./place.ts";
import { explainSyntaxError } from "./syntax-error.ts";
import type { Entry, ScalarValue, Tree } from "./tree.ts";

/** A problem with the text of a file, before anything is known about its settings. */
export interface SourceProblem {
  readonly code: string;
  readonly place: Place;
  readonly message: string;
  readonly fix: string;
}

/** Where a scalar or a key stands in the text: offsets of its first character and after its last. */
export interface ScalarSpan {
  readonly start: number;
  readonly end: number;
  readonly path: Path;
  readonly text: string;
  readonly isKey: boolean;
}

export interface SourceFile {
  readonly file: string;
  readonly text: string;
  /** What the file says; null when it could not be read as one YAML map. */
  readonly tree: Tree | null;
  readonly scalars: readonly ScalarSpan[];
  readonly problems: readonly SourceProblem[];
}

/** More parts than any honest configuration has; beyond it a file is refused, which also contains alias bombs. */
const MAX_NODES = 20_000;
const MAX_DEPTH = 64;

/** Reads YAML text into a tree with places. Never throws; whatever is wrong is in `problems`. */
export function parseSource(file: string, text: string): SourceFile {
  const lineCounter = new LineCounter();
  const document = parseDocument(text, { lineCounter, prettyErrors: false, version: "1.2", logLevel: "error" });
  const placeAt = (offset: number): Place => {
    const { line, col } = lineCounter.linePos(offset);
    return { origin: file, file, line: Math.max(line, 1), column: Math.max(col, 1) };
  };

  const problems: SourceProblem[] = [];
  // One broken character makes the parser stumble over everything after it: the first error is the cause.
  const first = document.errors[0] ?? document.warnings[0];
  if (first !== undefined) problems.push({ place: placeAt(first.pos[0]), ...explainSyntaxError(first, text) });
  if (problems.length > 0) return { file, text, tree: null, scalars: [], problems };

  const converter = new Converter(document, placeAt);
  const tree = document.contents === null ? emptyMap(placeAt(0)) : converter.convert(document.contents, [], 0);
  problems.push(...converter.problems);
  if (problems.length === 0 && tree.kind !== "map") {
    const emptyFile = tree.kind === "scalar" && tree.value === null;
    if (emptyFile) return { file, text, tree: emptyMap(placeAt(0)), scalars: [], problems };
    problems.push({
      code: "not_a_map",
      place: tree.place,
      message: "the file must be a map of settings, but it is not",
      fix: "Write `key: value` lines; `weir config init` prints a file to start from.",
    });
  }
  return { file, text, tree: problems.length > 0 ? null : tree, scalars: converter.scalars, problems };
}

function emptyMap(place: Place): Tree {
  return { kind: "map", place, entries: new Map<string, Entry>() };
}

/** Turns YAML nodes into trees, following aliases within bounds. */
class Converter {
  readonly problems: SourceProblem[] = [];
  readonly scalars: ScalarSpan[] = [];
  readonly #document: Document;
  readonly #placeAt: (offset: number) => Place;
  #nodes = 0;

  constructor(document: Document, placeAt: (offset: number) => Place) {
    this.#document = document;
    this.#placeAt = placeAt;
  }

  convert(node: Node, path: Path, depth: number): Tree {
    const place = this.#placeOf(node);
    if (++this.#nodes > MAX_NODES || depth > MAX_DEPTH) return this.#tooComplex(place);
    if (isAlias(node)) return this.#convertAlias(node.resolve(this.#document), place, { path, depth });
    if (isMap(node)) return { kind: "map", place, entries: this.#entriesOf(node.items, path, depth) };
    if (isSeq(node)) {
      const items = node.items.map((item, i) => this.#convertValue(item, place, { path: [...path, i], depth }));
      return { kind: "list", place, items };
    }
    const value = isScalar(node) ? scalarValueOf(node.value) : null;
    this.#remember(node, path, false);
    return { kind: "scalar", place, value, references: [], mayCoerce: false };
  }

  #convertValue(value: unknown, parent: Place, at: { path: Path; depth: number }): Tree {
    if (isNode(value)) return this.convert(value, at.path, at.depth + 1);
    return { kind: "scalar", place: parent, value: null, references: [], mayCoerce: false };
  }

  #entriesOf(pairs: readonly { key: unknown; value: unknown }[], path: Path, depth: number): Map<string, Entry> {
    const entries = new Map<string, Entry>();
    for (const pair of pairs) {
      const keyPlace = isNode(pair.key) ? this.#placeOf(pair.key) : placeOutsideFiles("unknown");
      const key = isScalar(pair.key) ? String(pair.key.value) : null;
      const problem = keyProblemOf(key, pair.value);
      if (!isScalar(pair.key) || key === null || problem !== null) {
        this.problems.push({ code: "bad_key", place: keyPlace, ...(problem ?? NOT_A_NAME) });
        continue;
      }
      this.#remember(pair.key, [...path, key], true);
      const value = this.#convertValue(pair.value, keyPlace, { path: [...path, key], depth });
      entries.set(key, { keyPlace, value });
    }
    return entries;
  }

  #convertAlias(target: Node | undefined, place: Place, at: { path: Path; depth: number }): Tree {
    if (target !== undefined) return this.convert(target, at.path, at.depth + 1);
    this.problems.push({
      code: "yaml_syntax",
      place,
      message: "a value that begins with `*` refers to an anchor (`&name`), and there is no such anchor above it",
      fix: "If the value is text that begins with `*`, put it in quotes.",
    });
    return { kind: "scalar", place, value: null, references: [], mayCoerce: false };
  }

  #tooComplex(place: Place): Tree {
    if (!this.problems.some((problem) => problem.code === "too_complex")) {
      this.problems.push({
        code: "too_complex",
        place,
        message: `the file has more than ${MAX_NODES} parts or is nested deeper than ${MAX_DEPTH} levels`,
        fix: "Remove anchors that refer to themselves or to each other many times.",
      });
    }
    return { kind: "scalar", place, value: null, references: [], mayCoerce: false };
  }

  #remember(node: Node, path: Path, isKey: boolean): void {
    if (!node.range) return;
    const text = isScalar(node) ? String(node.value) : "";
    this.scalars.push({ start: node.range[0], end: node.range[1], path, text, isKey });
  }

  #placeOf(node: Node): Place {
    return this.#placeAt(node.range?.[0] ?? 0);
  }
}

const NOT_A_NAME = { message: "this key is not allowed", fix: "Keys are plain names such as `listen`." };

/** What is wrong with a key. Text without a colon may be half of a secret with a comma in it, so it is never shown. */
function keyProblemOf(key: string | null, value: unknown): { message: string; fix: string } | null {
  if (key === null || key === "__proto__") return NOT_A_NAME;
  if (value !== null) return null;
  return {
    message: "this text stands in a map, but there is no colon after it",
    fix: "Write `key: value`; put a value that holds a comma or a brace in quotes.",
  };
}

function isNode(value: unknown): value is Node {
  return isMap(value) || isSeq(value) || isScalar(value) || isAlias(value);
}

function scalarValueOf(value: unknown): ScalarValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  // Only values of another YAML schema could come here; the name of the type fails our schema with a proper message.
  return value === null || value === undefined ? null : `(${typeof value})`;
}
