import type { Migration } from "kysely/migration";

import { initial } from "./0001-initial.ts";
import { routingInLedger } from "./0002-routing-in-ledger.ts";
import { signIn } from "./0003-sign-in.ts";
import { audit } from "./0004-audit.ts";
import { spendLimits } from "./0005-spend-limits.ts";
import { reports } from "./0006-reports.ts";

/** Every migration by name, in the order of the names. One that was released is never edited: add the next. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_initial": initial,
  "0002_routing_in_ledger": routingInLedger,
  "0003_sign_in": signIn,
  "0004_audit": audit,
  "0005_spend_limits": spendLimits,
  "0006_reports": reports,
};
