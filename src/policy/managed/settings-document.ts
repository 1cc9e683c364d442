/** A settings document as YAML and JSON know it: Claude Code's or Claude Desktop's. */
export type SettingsDocument = Readonly<Record<string, unknown>>;

/** Whether a value is a map, and no list. */
export function isMap(value: unknown): value is SettingsDocument {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** The value at a path of keys, or undefined. */
export function valueAt(document: unknown, path: readonly string[]): unknown {
  return path.reduce((here, key) => (isMap(here) && Object.hasOwn(here, key) ? here[key] : undefined), document);
}
