import { readdirSync, readFileSync } from "node:fs";
import path from "node:path";

export const ROOT = path.resolve(import.meta.dirname, "../..");

/** A fenced block of a page. */
export interface Block {
  /** The page's path from the root of the project. */
  readonly page: string;
  readonly line: number;
  /** What stands behind the fence: `sh test`. */
  readonly info: string;
  readonly text: string;
}

/** Every Markdown page of the project, by its path from the root. */
export function pages(): string[] {
  const inFolder = (folder: string): string[] =>
    readdirSync(path.join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((name) => name.endsWith(".md"))
      .map((name) => path.posix.join(folder, name.split(path.sep).join("/")));
  const top = readdirSync(ROOT).filter((name) => name.endsWith(".md"));
  return [...top, ...inFolder("docs"), ...inFolder("examples")].sort();
}

export function readPage(page: string): string {
  return readFileSync(path.join(ROOT, page), "utf8");
}

/** The fenced blocks of a page, in order. */
export function blocksOf(page: string): Block[] {
  const blocks: Block[] = [];
  let open: { line: number; info: string; lines: string[] } | null = null;
  for (const [index, line] of readPage(page).split("\n").entries()) {
    const fence = /^```(.*)$/.exec(line);
    if (fence === null) open?.lines.push(line);
    else if (open === null) open = { line: index + 1, info: (fence[1] ?? "").trim(), lines: [] };
    else {
      blocks.push({ page, line: open.line, info: open.info, text: `${open.lines.join("\n")}\n` });
      open = null;
    }
  }
  if (open !== null) throw new Error(`${page}:${open.line}: the block is not closed`);
  return blocks;
}

/** A page without its fenced blocks. */
export function proseOf(page: string): string {
  return readPage(page).replace(/^```.*\n[\s\S]*?^```$/gm, "");
}

/** The anchors that GitHub gives the headings of a page. */
export function anchorsOf(page: string): Set<string> {
  const headings = [...proseOf(page).matchAll(/^#{1,6} +(.+)$/gm)].map(([, title = ""]) => title);
  const anchors = new Set<string>();
  for (const title of headings) {
    const plain = title.replaceAll(/[`*]/g, "").replaceAll(/\[([^\]]*)\]\([^)]*\)/g, "$1");
    const anchor = plain
      .toLowerCase()
      .replaceAll(/[^\p{L}\p{N}\s_-]/gu, "")
      .replaceAll(/\s/g, "-");
    let unique = anchor;
    for (let n = 1; anchors.has(unique); n++) unique = `${anchor}-${n}`;
    anchors.add(unique);
  }
  return anchors;
}
