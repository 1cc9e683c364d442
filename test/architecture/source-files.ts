import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

import { parseSync, Visitor, type NewExpression } from "oxc-parser";

/** A module under src/ with what it refers to. */
export interface SourceFile {
  /** Path from src/, with slashes: `ledger/journal/journal.ts`. */
  readonly name: string;
  readonly text: string;
  readonly imports: readonly ImportReference[];
  /** Whether all that the file does is to export what other files hold. */
  readonly isBarrel: boolean;
}

export interface ImportReference {
  /** The imported file's path from src/, or null for a package or builtin. */
  readonly file: string | null;
  /** As written. */
  readonly specifier: string;
  readonly line: number;
  /** Only types; erased before the program runs. */
  readonly typeOnly: boolean;
}

/** Reads every TypeScript module under `src`. */
export function readSources(src: string): SourceFile[] {
  return readdirSync(src, { recursive: true, encoding: "utf8" })
    .map((name) => name.split(path.sep).join("/"))
    .filter((name) => name.endsWith(".ts"))
    .sort()
    .map((name) => parseSource(name, readFileSync(path.join(src, name), "utf8")));
}

/** What one module refers to: static, dynamic, re-exports, `import("…")` types, worker files. `name` is its path from src/. */
export function parseSource(name: string, text: string): SourceFile {
  const { program, errors } = parseSync(name, text, { lang: "ts", sourceType: "module" });
  const failure = errors[0];
  if (failure !== undefined) throw new Error(`src/${name}: ${failure.message}`);
  const imports: ImportReference[] = [];
  const add = (specifier: string, { start }: { start: number }, typeOnly: boolean): void => {
    imports.push({ file: target(name, specifier), specifier, line: lineAt(text, start), typeOnly });
  };
  new Visitor({
    ImportDeclaration: (node) => add(node.source.value, node, node.importKind === "type"),
    ExportAllDeclaration: (node) => add(node.source.value, node, node.exportKind === "type"),
    ExportNamedDeclaration: (node) => {
      if (node.source !== null) add(node.source.value, node, node.exportKind === "type");
    },
    ImportExpression: ({ source }) => {
      if (source.type === "Literal" && typeof source.value === "string") add(source.value, source, false);
    },
    TSImportType: (node) => add(node.source.value, node, true),
    NewExpression: (node) => {
      const file = workerFile(node);
      if (file !== null) add(file, node, false);
    },
  }).visit(program);
  const isBarrel =
    program.body.length > 0 &&
    program.body.every(
      (node) =>
        node.type === "ExportAllDeclaration" || (node.type === "ExportNamedDeclaration" && node.source !== null),
    );
  return { name, text, imports, isBarrel };
}

/** The module in `new URL("./module.ts", import.meta.url)`, which is how worker threads name theirs. */
function workerFile({ callee, arguments: [first] }: NewExpression): string | null {
  if (callee.type !== "Identifier" || callee.name !== "URL" || first?.type !== "Literal") return null;
  return typeof first.value === "string" && /^\..*\.ts$/.test(first.value) ? first.value : null;
}

function target(from: string, specifier: string): string | null {
  if (!specifier.startsWith(".")) return null;
  return path.posix.normalize(path.posix.join(path.posix.dirname(from), specifier));
}

function lineAt(text: string, offset: number): number {
  let line = 1;
  for (let at = text.indexOf("\n"); at >= 0 && at < offset; at = text.indexOf("\n", at + 1)) line++;
  return line;
}
