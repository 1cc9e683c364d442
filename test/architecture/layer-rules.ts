import { LAYERS, STORE_ADAPTERS } from "./layer-table.ts";
import type { ImportReference, SourceFile } from "./source-files.ts";

/** A breach of the rules in words: what, where, why. */
export type Breach = string;

const LINE_OF: ReadonlyMap<string, number> = new Map(
  LAYERS.flatMap((line, index) => line.map(({ folder }) => [folder, index] as const)),
);

/** Imports that go up, or to a sibling on the same line. */
export function layerBreaches(files: readonly SourceFile[]): Breach[] {
  return eachImport(files, (from, to, reference) => {
    const [own, other] = [folderOf(from.name), folderOf(to)];
    if (own === other) return null;
    const [ownLine, otherLine] = [LINE_OF.get(own), LINE_OF.get(other)];
    if (ownLine === undefined || otherLine === undefined) return null; // `unlistedFolders` says so
    if (otherLine > ownLine) return null;
    const why = otherLine === ownLine ? "stand on one line of the layer table" : "is above it in the layer table";
    return otherLine === ownLine
      ? `${at(from, reference)}: ${own} and ${other} ${why}`
      : `${at(from, reference)}: ${own} imports ${other}, which ${why}`;
  });
}

/**
 * Imports of a store's adapter from outside `app` and `store`. Tests may: they run on real adapters, and nothing of them is
 * in the product.
 */
export function adapterBreaches(files: readonly SourceFile[]): Breach[] {
  const product = files.filter(({ name }) => !isTestFile(name));
  return eachImport(product, (from, to, reference) => {
    const [folder, part = ""] = to.split("/");
    if (folder !== "store" || !STORE_ADAPTERS.includes(part)) return null;
    const own = folderOf(from.name);
    if (own === "app" || own === "store") return null;
    return `${at(from, reference)}: store/${part} is an adapter, imported by app alone; ask for the port in store/ports`;
  });
}

/** Ports that know an adapter. */
export function portBreaches(files: readonly SourceFile[]): Breach[] {
  const ports = files.filter(({ name }) => name.startsWith("store/ports/") && !isTestFile(name));
  return eachImport(ports, (from, to, reference) => {
    const [folder, part = ""] = to.split("/");
    return folder === "store" && STORE_ADAPTERS.includes(part)
      ? `${at(from, reference)}: a port knows nothing of its adapters`
      : null;
  });
}

/** Imports of files that are not there (the compiler says so too; here it keeps the other rules honest). */
export function danglingImports(files: readonly SourceFile[]): Breach[] {
  const names = new Set(files.map(({ name }) => name));
  return eachImport(files, (from, to, reference) =>
    to.startsWith("../") || !to.endsWith(".ts") || names.has(to)
      ? null
      : `${at(from, reference)}: there is no src/${to}`,
  );
}

/** Imports that leave src/: of test/, scripts/ or bench/. Tests beside the code may use test/. */
export function outsideImports(files: readonly SourceFile[]): Breach[] {
  return eachImport(files, (from, to, reference) => {
    if (!to.startsWith("../")) return null;
    if (isTestFile(from.name) || to === "../package.json") return null;
    return `${at(from, reference)}: src/ imports nothing outside src/`;
  });
}

/** Rings of files that import one another when the program runs; each is told once, from its first file. */
export function importCycles(files: readonly SourceFile[]): Breach[] {
  const next = new Map(
    files.map(({ name, imports }) => [
      name,
      imports.filter(({ typeOnly }) => !typeOnly).flatMap(({ file }) => (file === null ? [] : [file])),
    ]),
  );
  const state = new Map<string, "open" | "done">();
  const way: string[] = [];
  const rings: Breach[] = [];
  const visit = (name: string): void => {
    if (state.get(name) === "done") return;
    if (state.get(name) === "open") {
      rings.push(
        `a ring of imports: ${[...way.slice(way.indexOf(name)), name].map((file) => `src/${file}`).join(" → ")}`,
      );
      return;
    }
    state.set(name, "open");
    way.push(name);
    for (const target of next.get(name) ?? []) visit(target);
    way.pop();
    state.set(name, "done");
  };
  for (const { name } of files) visit(name);
  return rings;
}

/** The folder of src/ that a file is in. */
function folderOf(name: string): string {
  return name.split("/")[0] ?? "";
}

/** Whether a file is for tests only: tests, contracts that tests run, and what they work with. */
export function isTestFile(name: string): boolean {
  return /\.(test|contract)\.ts$/.test(name) || name.includes("/testing/");
}

function eachImport(
  files: readonly SourceFile[],
  judge: (from: SourceFile, to: string, reference: ImportReference) => Breach | null,
): Breach[] {
  return files.flatMap((from) =>
    from.imports.flatMap((reference) => {
      const breach = reference.file === null ? null : judge(from, reference.file, reference);
      return breach === null ? [] : [breach];
    }),
  );
}

function at(file: SourceFile, { line }: ImportReference): string {
  return `src/${file.name}:${line}`;
}
