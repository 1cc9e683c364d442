/** Claims of an ID token or of the userinfo endpoint, as the provider sent them. */
export type Claims = Readonly<Record<string, unknown>>;

/** A claim by its name, or by a JSON pointer (RFC 6901); undefined where there is none. */
export function claimAt(claims: Claims, reference: string): unknown {
  if (!reference.startsWith("/")) return Object.hasOwn(claims, reference) ? claims[reference] : undefined;
  let here: unknown = claims;
  for (const token of reference.slice(1).split("/")) {
    here = member(here, token.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  return here;
}

/** The first of several references whose claim is a text that is not blank; null where none is. */
export function textAt(claims: Claims, references: string | readonly string[]): string | null {
  for (const reference of typeof references === "string" ? [references] : references) {
    const value = claimAt(claims, reference);
    if (typeof value === "string" && value.trim() !== "") return value.trim();
  }
  return null;
}

/** Groups, of a list or of a single text; null where there is no such claim. What is no text among them is left out. */
export function groupsAt(claims: Claims, reference: string): readonly string[] | null {
  const value = claimAt(claims, reference);
  if (typeof value === "string") return value === "" ? [] : [value];
  if (!Array.isArray(value)) return null;
  return [...new Set(value.filter((group): group is string => typeof group === "string" && group !== ""))];
}

function member(value: unknown, name: string): unknown {
  if (Array.isArray(value)) return /^(0|[1-9]\d*)$/.test(name) ? value[Number(name)] : undefined;
  if (typeof value !== "object" || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Claims)[name]; // an object's own member
}
