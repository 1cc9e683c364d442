import { type RawBuilder, sql } from "kysely";

import { type Span, splitWindow } from "./window-split.ts";

/** The sums of costs by project tag, named `<organization>/<tag>`: whole days from their rollup, what is left from the rows. */
export function tagTotalsStatement(window: Span): RawBuilder<{ subject: string; total: number }> {
  const { days, hours, rows } = splitWindow(window);
  const part = (table: string, time: string, span: Span): RawBuilder<unknown> => {
    const until = span.toMs === Infinity ? sql`` : sql`and ${sql.ref(time)} < ${new Date(span.toMs)}`;
    return sql`select organization_id || '/' || tag as subject, cost_micro_usd from ${sql.table(table)}
      where tag is not null and ${sql.ref(time)} >= ${new Date(span.fromMs)} ${until}`;
  };
  const parts = [
    ...days.map((span) => part("weir.usage_sessions", "starts_at", span)),
    ...[...hours, ...rows].map((span) => part("weir.usage_entries", "admitted_at", span)),
  ];
  return sql`select subject, sum(cost_micro_usd)::bigint as total from (${sql.join(parts, sql` union all `)}) as spent
    group by subject`;
}
