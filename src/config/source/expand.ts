import type { Finding } from "../finding.ts";
import type { Path } from "./path.ts";
import { editTree, type ScalarTree, scalarsOf, type Tree } from "./tree.ts";

/** What was found when a `${file:…}` was read: its text, or why it could not be. */
export type FileReading = { readonly text: string } | { readonly problem: string };

/** The outside that references look into. Files are read beforehand, so that expansion itself is pure. */
export interface Outside {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly files: ReadonlyMap<string, FileReading>;
}

/** A piece of a scalar's text: literal, a variable, a file, or something that is neither. */
type Piece =
  | { readonly kind: "text"; readonly text: string }
  | { readonly kind: "variable"; readonly name: string }
  | { readonly kind: "file"; readonly path: string }
  | { readonly kind: "bad"; readonly problem: string; readonly fix: string };

const VARIABLE_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The absolute paths of all `${file:…}` references that a file of the configuration makes. */
export function fileReferencesOf(tree: Tree): Set<string> {
  const paths = new Set<string>();
  for (const { scalar } of scalarsOf(tree)) {
    for (const piece of piecesOf(scalar)) if (piece.kind === "file") paths.add(piece.path);
  }
  return paths;
}

/**
 * Replaces `${VAR}` (also within longer text) and `${file:/absolute/path}` (as the whole value; trimmed) by what they
 * refer to; `$${` stands for a literal `${`. Only text written in a file is expanded, never what was put in its place.
 * A reference that leads nowhere becomes a finding, and the text stays as it was.
 */
export function expandTree(tree: Tree, outside: Outside): { tree: Tree; findings: Finding[] } {
  const findings: Finding[] = [];
  let expanded = tree;
  for (const { path, scalar } of scalarsOf(tree)) {
    const pieces = piecesOf(scalar);
    if (pieces.length === 0) continue;
    const result = resolvePieces(pieces, path, outside);
    if (result.findings.length > 0) findings.push(...result.findings);
    else expanded = editTree(expanded, path, () => replacement(scalar, pieces, result.text));
  }
  return { tree: expanded, findings };
}

function replacement(scalar: ScalarTree, pieces: readonly Piece[], value: string): ScalarTree {
  const references = pieces.flatMap((piece) => {
    if (piece.kind === "variable") return [piece.name];
    return piece.kind === "file" ? [`file:${piece.path}`] : [];
  });
  return { ...scalar, value, references, mayCoerce: pieces.length === 1 && references.length === 1 };
}

/** The pieces of a text that has something to expand; none for any other scalar. */
function piecesOf(scalar: ScalarTree): Piece[] {
  const isExpandable = scalar.place.file !== null && scalar.references.length === 0;
  if (!isExpandable || typeof scalar.value !== "string" || !scalar.value.includes("${")) return [];
  return splitReferences(scalar.value);
}

/** Splits text at its references. */
function splitReferences(text: string): Piece[] {
  const pieces: Piece[] = [];
  let literal = "";
  const flush = () => {
    if (literal !== "") pieces.push({ kind: "text", text: literal });
    literal = "";
  };
  for (let at = 0; at < text.length;) {
    if (text.startsWith("$${", at)) {
      literal += "${";
      at += 3;
    } else if (text.startsWith("${", at)) {
      flush();
      const end = text.indexOf("}", at);
      const inner = end === -1 ? null : text.slice(at + 2, end);
      pieces.push(referenceOf(inner, at === 0 && end === text.length - 1));
      at = end === -1 ? text.length : end + 1;
    } else {
      literal += text[at];
      at += 1;
    }
  }
  flush();
  return pieces;
}

function referenceOf(inner: string | null, isWholeValue: boolean): Piece {
  if (inner === null) {
    return { kind: "bad", problem: "a `${` is not closed by `}`", fix: "Close it, or write `$${` for a literal `${`." };
  }
  if (!inner.startsWith("file:")) {
    if (VARIABLE_NAME.test(inner)) return { kind: "variable", name: inner };
    return {
      kind: "bad",
      problem: "what stands between `${` and `}` is no name of an environment variable",
      fix: "Use letters, digits and `_`; defaults such as `${NAME:-x}` do not exist. Write `$${` for a literal `${`.",
    };
  }
  const path = inner.slice("file:".length);
  if (!isWholeValue) {
    return {
      kind: "bad",
      problem: "`${file:…}` must be the whole value; it is not expanded inside longer text",
      fix: "Make it the field's only text; for a database password set store.password and not a part of store.postgres_url.",
    };
  }
  if (path.startsWith("/") || /^[A-Za-z]:[\\/]/.test(path)) return { kind: "file", path };
  return {
    kind: "bad",
    problem: "the path in `${file:…}` must be absolute",
    fix: "Write the path from the root, for example `${file:/run/secrets/api-key}`.",
  };
}

function resolvePieces(pieces: readonly Piece[], path: Path, outside: Outside): { text: string; findings: Finding[] } {
  const findings: Finding[] = [];
  const fail = (code: string, message: string, fix: string): string => {
    findings.push({ severity: "error", code, path, message, fix });
    return "";
  };
  const texts = pieces.map((piece) => {
    if (piece.kind === "text") return piece.text;
    if (piece.kind === "bad") return fail("bad_reference", piece.problem, piece.fix);
    if (piece.kind === "variable") {
      const value = outside.env[piece.name];
      if (value !== undefined) return value;
      const fix = `Set ${piece.name} where Weir is started, or remove this setting.`;
      return fail("missing_variable", `the environment variable ${piece.name} is not set`, fix);
    }
    const reading = outside.files.get(piece.path) ?? { problem: "was not read" };
    if ("text" in reading) return reading.text.trim();
    const fix = "Mount or create the file, and let the user that runs Weir read it.";
    return fail("unreadable_file", `the file ${piece.path} ${reading.problem}`, fix);
  });
  return { text: texts.join(""), findings };
}
