import { canonicalJson } from "./canonical-json.ts";
import { isCanonical } from "./audit-chain.ts";
import { EXPORT_FIELDS, flatten, type FlatRecord, unflatten } from "./export-fields.ts";
import type { ExportRecord } from "./export-records.ts";

/** A record as one line of JSON, ended. */
export function toJsonLine(record: ExportRecord): string {
  const flat = flatten(record);
  const members = EXPORT_FIELDS.flatMap((name) => {
    const value = flat[name];
    return value === undefined || value === null ? [] : [`"${name}":${valueText(name, value)}`];
  });
  return `{${members.join(",")}}\n`;
}

/** The record of a line. Throws RangeError or SyntaxError with what is wrong. */
export function fromJsonLine(line: string): ExportRecord {
  const value: unknown = JSON.parse(line);
  if (typeof value !== "object" || value === null) throw new RangeError("it is not an object");
  const fields: Record<string, unknown> = { ...value };
  for (const name of ["before", "after"]) {
    const record = fields[name];
    if (typeof record === "object" && record !== null) fields[name] = canonicalJson(record);
  }
  return unflatten(fields);
}

/** Records stand as the objects that they are; one that was damaged in the database stands as its text. */
function valueText(name: string, value: NonNullable<FlatRecord[keyof FlatRecord]>): string {
  const isRecord = (name === "before" || name === "after") && typeof value === "string" && isCanonical(value);
  return isRecord ? value : JSON.stringify(value);
}
