import { windowAt } from "../core/calendar-window.ts";
import type { BudgetBook } from "../ledger/budgets/budget-book.ts";
import { WINDOW_KINDS } from "../ledger/budgets/spend-counter.ts";
import type { DirectorySnapshot } from "../store/ports/directory.ts";
import type { PayerScope } from "../store/ports/spend-limits.ts";
import type { UsageStore } from "../store/ports/usage.ts";

const SCOPES: readonly PayerScope[] = ["organization", "team", "user", "key", "tag"];

/**
 * Fills the counters from the ledger's rows, for every subject and window. Called at boot, after the journal has been
 * shipped whole, so that the rows are all there is.
 */
export async function rebuildBudgets(
  book: BudgetBook,
  usage: UsageStore,
  { directory, nowMs }: { directory: DirectorySnapshot; nowMs: number },
): Promise<void> {
  const zones = zonesOf(directory);
  for (const zone of new Set(zones.values())) {
    for (const kind of WINDOW_KINDS) {
      const span = windowAt(kind, nowMs, zone);
      for (const scope of SCOPES) {
        for (const [id, spent] of await usage.totals(scope, span.startMs, span.endMs)) {
          // A tag is named behind its organisation.
          const owner = scope === "tag" ? id.slice(0, id.indexOf("/")) : id;
          if (zones.get(owner) === zone) book.restore({ scope, id }, zone, kind, spent);
        }
      }
    }
  }
}

/** The time zone of each subject: its organisation's. */
function zonesOf(directory: DirectorySnapshot): ReadonlyMap<string, string> {
  const byOrganization = new Map(directory.organizations.map(({ id, timeZone }) => [id, timeZone]));
  const zones = new Map(byOrganization);
  for (const { id, organizationId } of [...directory.teams, ...directory.users, ...directory.keys]) {
    zones.set(id, byOrganization.get(organizationId) ?? "UTC");
  }
  return zones;
}
