/** `snake_case` as `camelCase`: a digit is no letter that could be upper case, so it stays as it is. */
type CamelKey<Key> = Key extends `${infer Head}_${infer Tail}` ? `${Head}${Capitalize<CamelKey<Tail>>}` : Key;

/** A section with the keys that code uses, at every depth. */
export type CamelKeys<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { readonly [Key in keyof T as CamelKey<Key>]: CamelKeys<T[Key]> }
    : T;

/**
 * A section of the configuration with its keys in camelCase, for settings types that have the same names. Lists are left
 * alone. Not for sections with names that people chose as keys: those would be changed, too.
 */
export function camelKeys<T extends object>(section: T): CamelKeys<T> {
  // The result is built member by member as the type says; TypeScript cannot follow a renaming of keys.
  return renamed(section) as CamelKeys<T>;
}

function renamed(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [camelKey(key), renamed(member)]));
}

function camelKey(key: string): string {
  return key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase());
}
