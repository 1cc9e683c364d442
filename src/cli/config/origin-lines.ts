import { formatPath, type Path } from "../../config/source/path.ts";
import type { Output } from "../output.ts";
import { tableLines } from "../terminal/table.ts";

const BUILT_IN = "built-in default";

/** A configuration as a table of its settings: path, value, and who says so. */
export function originLines(
  config: object,
  origins: ReadonlyMap<string, string>,
  { style, terminal }: Output,
): string[] {
  const settings = [...leavesOf(config, [])];
  const from = settings.map(({ path }) => origins.get(path) ?? BUILT_IN);
  return tableLines(
    [
      { header: "SETTING", cells: settings.map(({ path }) => path) },
      { header: "VALUE", cells: settings.map(({ value }) => value), isFlexible: true },
      {
        header: "FROM",
        cells: from,
        isFlexible: true,
        paint: (padded, row) => (from[row] === BUILT_IN ? style.dim(padded) : style.cyan(padded)),
      },
    ],
    { style, columns: terminal.out.columns },
  );
}

/** Single values, and lists and maps that are empty: everything else shows through its members. */
function* leavesOf(value: unknown, path: Path): Generator<{ path: string; value: string }> {
  const members: readonly [string | number, unknown][] = Array.isArray(value)
    ? value.map((item, i): [number, unknown] => [i, item])
    : typeof value === "object" && value !== null
      ? Object.entries(value)
      : [];
  if (members.length === 0) yield { path: formatPath(path), value: JSON.stringify(value) ?? "" };
  for (const [step, member] of members) yield* leavesOf(member, [...path, step]);
}
