/** A file that is written from the code: its path from the root of the project, and its content. */
export interface GeneratedFile {
  readonly path: string;
  readonly content: string;
}

/**
 * Fills the generated sections of a hand-written page. A section stands between these lines, which stay:
 *
 *     <!-- generated: name -->
 *     <!-- end of generated: name -->
 *
 * Throws when the page lacks a section, has one that nobody fills, or does not close one.
 */
export function fillSections(page: string, sections: Readonly<Record<string, string>>): string {
  const filled = new Set<string>();
  const result = page.replace(
    /<!-- generated: ([\w-]+) -->\n(?:[\s\S]*?\n)?<!-- end of generated: \1 -->/g,
    (_whole, name: string) => {
      const content = sections[name];
      if (content === undefined) throw new Error(`nothing generates the section "${name}"`);
      filled.add(name);
      return `<!-- generated: ${name} -->\n${content.trim()}\n<!-- end of generated: ${name} -->`;
    },
  );
  const opened = [...page.matchAll(/<!-- generated: ([\w-]+) -->/g)].map(([, name = ""]) => name);
  const unclosed = opened.find((name) => !filled.has(name));
  if (unclosed !== undefined) throw new Error(`the section "${unclosed}" is not closed`);
  const missing = Object.keys(sections).find((name) => !filled.has(name));
  if (missing !== undefined) throw new Error(`the page has no section "${missing}"`);
  return result;
}

/** A Markdown table. Bars in cells are escaped. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replaceAll("|", "\\|")).join(" | ")} |`;
  return [line(head), `|${head.map(() => "---").join("|")}|`, ...rows.map(line)].join("\n");
}
