import type { UsageDimension, UsageRow } from "../../store/ports/usage.ts";
import type { Names } from "../directory/names.ts";

/** Dimensions whose values are ids of directory records, which have names. */
export const NAMED_DIMENSIONS: ReadonlySet<UsageDimension> = new Set<UsageDimension>(["user", "team", "key"]);

/** The value of a dimension as people know it; null where the rows have none. An id without a record stays an id. */
export function labelOf(row: UsageRow, dimension: UsageDimension, names: Names): string | null {
  const value = row.group[dimension] ?? null;
  if (value === null) return null;
  if (dimension === "user") return names.user(value)?.name ?? value;
  if (dimension === "team") return names.team(value)?.name ?? value;
  if (dimension !== "key") return value;
  const key = names.key(value);
  return key === null ? value : `${key.name} (${key.hint}…)`;
}
