/** Lines of a table whose columns are as wide as their widest cell. The first column is set left, the others right. */
export function textTable(
  rows: readonly (readonly string[])[],
  options: { readonly left?: readonly number[] } = {},
): readonly string[] {
  const left = new Set([0, ...(options.left ?? [])]);
  const columns = Math.max(0, ...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, i) => Math.max(...rows.map((row) => row[i]?.length ?? 0)));
  return rows.map((row) =>
    row
      .map((cell, i) => (left.has(i) ? cell.padEnd(widths[i] ?? 0) : cell.padStart(widths[i] ?? 0)))
      .join("  ")
      .trimEnd(),
  );
}
