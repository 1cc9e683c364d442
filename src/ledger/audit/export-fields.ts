import { z } from "zod";

import type { ExportRecord } from "./export-records.ts";

/** The columns of an export, in this order. */
export const EXPORT_FIELDS = [
  "type",
  "organization_id",
  "class",
  "seq",
  "at",
  "actor",
  "action",
  "object",
  "result",
  "address",
  "request_id",
  "reason",
  "before",
  "after",
  "prev",
  "hash",
  "removed",
  "key_id",
  "signature",
] as const;

type ExportField = (typeof EXPORT_FIELDS)[number];

/** A record as flat texts and numbers; `before` and `after` are JSON texts. */
export type FlatRecord = Readonly<Partial<Record<ExportField, string | number | null>>>;

export function flatten(record: ExportRecord): FlatRecord {
  if (record.type === "statement") {
    const { kind, organizationId, retentionClass, seq, atMs, hash, removed, keyId, signature } = record.statement;
    const place = { type: kind, organization_id: organizationId, class: retentionClass, seq, at: momentText(atMs) };
    return { ...place, hash, removed, key_id: keyId, signature };
  }
  const { organizationId, retentionClass, atMs, requestId, ...row } = record.row;
  const place = { type: "row", organization_id: organizationId, class: retentionClass, at: momentText(atMs) };
  return { ...place, ...row, request_id: requestId };
}

const text = z.string();
const textOrNull = z.string().nullable().default(null);
const hex = z.string().regex(/^[0-9a-f]+$/);
const place = {
  organization_id: text,
  class: z.enum(["audit", "security"]),
  seq: z.coerce.number().int(),
  at: text,
  hash: hex,
};
const rowFields = z.object({
  type: z.literal("row"),
  ...place,
  actor: text,
  action: text,
  object: textOrNull,
  result: z.enum(["done", "refused", "failed"]),
  address: textOrNull,
  request_id: textOrNull,
  reason: textOrNull,
  before: textOrNull,
  after: textOrNull,
  prev: hex,
});
const statementFields = z.object({
  type: z.enum(["start", "head", "end", "checkpoint"]),
  ...place,
  removed: z.coerce.number().int().nullable().default(null),
  key_id: text,
  signature: hex,
});
const anyRecord = z.discriminatedUnion("type", [rowFields, statementFields]);

/** The record that flat fields say. Throws RangeError with what is wrong. */
export function unflatten(fields: unknown): ExportRecord {
  const parsed = anyRecord.safeParse(fields);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw new RangeError(`${issue?.path.join(".") ?? ""}: ${issue?.message ?? "cannot be read"}`);
  }
  const { data } = parsed;
  const chain = { organizationId: data.organization_id, retentionClass: data.class };
  const common = { ...chain, seq: data.seq, atMs: momentMs(data.at), hash: data.hash };
  if (data.type !== "row") {
    const { type: kind, removed, key_id: keyId, signature } = data;
    return { type: "statement", statement: { ...common, kind, removed, keyId, signature } };
  }
  const { actor, action, object, result, address, request_id: requestId, reason, before, after, prev } = data;
  const row = { ...common, actor, action, object, result, address, requestId, reason, before, after, prev };
  return { type: "row", row };
}

/** ISO 8601; a damaged row's time that no calendar has, as its number. */
function momentText(atMs: number): string {
  return Math.abs(atMs) <= 8.64e15 ? new Date(atMs).toISOString() : String(atMs);
}

function momentMs(written: string): number {
  const atMs = /^-?\d+$/.test(written) ? Number(written) : Date.parse(written);
  if (momentText(atMs) === written) return atMs;
  throw new RangeError(`at: ${JSON.stringify(written)} is not a time as Weir writes it`);
}
