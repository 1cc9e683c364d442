import { hash } from "node:crypto";

import { isMap } from "./settings-document.ts";

/**
 * The name of a settings document by its content, as Claude Code computes it from what it holds: SHA-256 of its JSON without
 * spaces and with the keys of every map in order.
 */
export function settingsChecksum(settings: unknown): string {
  return `sha256:${hash("sha256", JSON.stringify(sorted(settings)), "hex")}`;
}

function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (!isMap(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, member]) => [key, sorted(member)]));
}
