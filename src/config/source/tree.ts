import type { Path } from "./path.ts";
import { type Place, placeOutsideFiles } from "./place.ts";

/**
 * A configuration value that remembers where each part of it was written. Layers are trees; merging trees keeps the
 * places, so that whatever is found wrong later can be shown in the file that said it.
 */
export type Tree = MapTree | ListTree | ScalarTree;

interface MapTree {
  readonly kind: "map";
  readonly place: Place;
  readonly entries: ReadonlyMap<string, Entry>;
}

export interface Entry {
  /** Place of the key. */
  readonly keyPlace: Place;
  readonly value: Tree;
}

interface ListTree {
  readonly kind: "list";
  readonly place: Place;
  readonly items: readonly Tree[];
}

export type ScalarValue = string | number | boolean | null;

export interface ScalarTree {
  readonly kind: "scalar";
  readonly place: Place;
  readonly value: ScalarValue;
  /** What the value was taken from by `${…}`, for example `VAR` or `file:/path`. */
  readonly references: readonly string[];
  /** The text came from outside YAML as a whole (`${VAR}`, the environment), so `"8080"` may stand for a number. */
  readonly mayCoerce: boolean;
}

/** A plain value as a tree of which every part comes from `origin`. `undefined` members are left out. */
export function treeOf(value: unknown, origin: string): Tree {
  const place = placeOutsideFiles(origin);
  if (Array.isArray(value)) return { kind: "list", place, items: value.map((item) => treeOf(item, origin)) };
  if (typeof value === "object" && value !== null) {
    const entries = new Map<string, Entry>();
    for (const [key, member] of Object.entries(value)) {
      if (member !== undefined) entries.set(key, { keyPlace: place, value: treeOf(member, origin) });
    }
    return { kind: "map", place, entries };
  }
  return { kind: "scalar", place, value: scalarOf(value), references: [], mayCoerce: true };
}

function scalarOf(value: unknown): ScalarValue {
  if (typeof value === "string" || typeof value === "number" || typeof value === "boolean") return value;
  // A bigint or function has no place in a configuration; the name of its type fails the schema with a proper message.
  return value === null || value === undefined ? null : `(${typeof value})`;
}

/** The plain value of a tree. A map entry that is null (a key with nothing after it) counts as not written. */
export function plainValueOf(tree: Tree): unknown {
  if (tree.kind === "scalar") return tree.value;
  if (tree.kind === "list") return tree.items.map(plainValueOf);
  const members: [string, unknown][] = [];
  for (const [key, { value }] of tree.entries) {
    if (!isNull(value)) members.push([key, plainValueOf(value)]);
  }
  return Object.fromEntries(members);
}

/** Lays `above` over `below`: maps are merged key by key, anything else is replaced. A null above says nothing. */
export function mergeTrees(below: Tree, above: Tree): Tree {
  if (isNull(above)) return below;
  if (below.kind !== "map" || above.kind !== "map") return above;
  const entries = new Map(below.entries);
  for (const [key, entry] of above.entries) {
    const under = entries.get(key);
    if (under === undefined) entries.set(key, entry);
    else if (!isNull(entry.value)) {
      entries.set(key, { keyPlace: entry.keyPlace, value: mergeTrees(under.value, entry.value) });
    }
  }
  return { kind: "map", place: above.place, entries };
}

/** The part of the tree at `path`, or undefined. */
export function treeAt(tree: Tree, path: Path): Tree | undefined {
  let here: Tree | undefined = tree;
  for (const step of path) {
    if (here === undefined) return undefined;
    here = childOf(here, step);
  }
  return here;
}

/**
 * The best place to point at for `path`: the value itself; for a missing one, the key (or list item) of the nearest
 * part above it that was written.
 */
export function placeOf(tree: Tree, path: Path): Place {
  let here = tree;
  let place = tree.place;
  for (const [depth, step] of path.entries()) {
    const next = childOf(here, step);
    if (next === undefined) return place;
    const isLast = depth === path.length - 1;
    place = isLast && next.kind === "scalar" ? next.place : (keyPlaceOf(here, step) ?? next.place);
    here = next;
  }
  return place;
}

/** The place of the key that ends `path`, for findings about the key and not its value. */
export function keyPlaceAt(tree: Tree, path: Path): Place {
  const parent = treeAt(tree, path.slice(0, -1));
  const last = path.at(-1);
  if (parent === undefined || last === undefined) return placeOf(tree, path);
  return keyPlaceOf(parent, last) ?? placeOf(tree, path);
}

/** A copy of the tree with the part at `path` changed by `edit`; `undefined` from `edit` removes a map entry. */
export function editTree(tree: Tree, path: Path, edit: (part: Tree) => Tree | undefined): Tree {
  const [step, ...rest] = path;
  if (step === undefined) return edit(tree) ?? tree;
  if (tree.kind === "list" && typeof step === "number") {
    return { ...tree, items: tree.items.map((item, i) => (i === step ? editTree(item, rest, edit) : item)) };
  }
  if (tree.kind !== "map" || typeof step !== "string") return tree;
  const entry = tree.entries.get(step);
  if (entry === undefined) return tree;
  const entries = new Map(tree.entries);
  const value = rest.length === 0 ? edit(entry.value) : editTree(entry.value, rest, edit);
  if (value === undefined) entries.delete(step);
  else entries.set(step, { ...entry, value });
  return { ...tree, entries };
}

/** Every scalar of the tree with its path, in the order written. */
export function* scalarsOf(tree: Tree, path: Path = []): Generator<{ path: Path; scalar: ScalarTree }> {
  if (tree.kind === "scalar") yield { path, scalar: tree };
  else if (tree.kind === "list") for (const [i, item] of tree.items.entries()) yield* scalarsOf(item, [...path, i]);
  else for (const [key, { value }] of tree.entries) yield* scalarsOf(value, [...path, key]);
}

function childOf(tree: Tree, step: string | number): Tree | undefined {
  if (tree.kind === "map") return tree.entries.get(String(step))?.value;
  return tree.kind === "list" && typeof step === "number" ? tree.items[step] : undefined;
}

function keyPlaceOf(tree: Tree, step: string | number): Place | undefined {
  return tree.kind === "map" ? tree.entries.get(String(step))?.keyPlace : undefined;
}

function isNull(tree: Tree): boolean {
  return tree.kind === "scalar" && tree.value === null;
}
