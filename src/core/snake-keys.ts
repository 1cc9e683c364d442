/**
 * A value with its keys in snake_case at every depth, as Weir's own JSON has them. Not for records whose keys people chose:
 * those would be changed, too.
 */
export function snakeKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(snakeKeys);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [snakeKey(key), snakeKeys(member)]));
}

function snakeKey(key: string): string {
  return key.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
