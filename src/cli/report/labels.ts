import type { CostDimension } from "../../store/ports/reports.ts";
import type { Names } from "../directory/names.ts";

/** Dimensions whose values are ids of directory records, which have names. */
export const NAMED: ReadonlySet<CostDimension> = new Set<CostDimension>(["team", "user", "key", "organization"]);

/** A value as people know it; null where the entries have none. An id without a record stays an id. */
export function labelOf(
  dimension: CostDimension,
  value: string | null,
  about: { readonly names: Names; readonly organization: { readonly id: string; readonly name: string } },
): string | null {
  if (value === null) return null;
  const { names, organization } = about;
  switch (dimension) {
    case "organization":
      return value === organization.id ? organization.name : value;
    case "team":
      return names.team(value)?.name ?? value;
    case "user":
      return names.user(value)?.name ?? value;
    case "key": {
      const key = names.key(value);
      return key === null ? value : `${key.name} (${key.hint}…)`;
    }
    case "model":
    case "target":
    case "session":
    case "tag":
    default:
      return value;
  }
}

/** Who spent something: the user, or where there is none the key. */
export function ownerOf({ userId, keyId }: { userId: string | null; keyId: string }, names: Names): string {
  if (userId !== null) return names.user(userId)?.name ?? userId;
  return names.key(keyId)?.name ?? keyId;
}
