import type { AuditQuery } from "../ports/audit.ts";

/** The condition of a search among the rows of organisation `o.id`, with its values as parameters after the first. */
export function auditConditions(query: AuditQuery): { text: string; values: unknown[] } {
  const values: unknown[] = [query.organizationIds];
  const parts = ["organization_id = o.id"];
  const add = (value: unknown, condition: (parameter: string) => string): void => {
    values.push(value);
    parts.push(condition(`$${values.length}`));
  };
  const fromMs = Math.max(query.fromMs, query.visibleFromMs ?? query.fromMs);
  add(Math.ceil(fromMs), (at) => `at_ms >= ${at}`);
  if (query.toMs !== Infinity) add(Math.ceil(query.toMs), (at) => `at_ms < ${at}`);
  const fields = [
    ["class", query.retentionClass],
    ["actor", query.actor],
    ["action", query.action],
    ["object", query.object],
    ["result", query.result],
    ["request_id", query.requestId],
  ] as const;
  for (const [column, wanted] of fields) {
    if (wanted === undefined) continue;
    if (wanted.endsWith("*")) add(wanted.slice(0, -1), (prefix) => `starts_with(${column}, ${prefix})`);
    else add(wanted, (value) => `${column} = ${value}`);
  }
  return { text: parts.join(" and "), values };
}
