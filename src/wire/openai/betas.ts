import { isBetaName } from "../cloud/client-body.ts";
import { invalidField, type JsonObject } from "./json-reader.ts";

/**
 * `anthropic_beta` of a body, as other gateways take it: one name, names with commas, or a list. Throws WeirError for what
 * cannot be the name of a beta: it goes into a header.
 */
export function betasOf(body: JsonObject): string[] {
  const value = body["anthropic_beta"];
  if (value === undefined || value === null) return [];
  const isList = Array.isArray(value);
  const list: readonly unknown[] = isList ? value : [value];
  return list.flatMap((entry, i) => {
    const path = isList ? `anthropic_beta[${i}]` : "anthropic_beta";
    if (typeof entry !== "string") throw invalidField(path, "expected a string");
    const names = entry
      .split(",")
      .map((name) => name.trim())
      .filter((name) => name !== "");
    if (!names.every(isBetaName)) throw invalidField(path, "must be the name of a beta");
    return names;
  });
}
