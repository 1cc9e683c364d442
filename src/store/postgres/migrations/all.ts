import type { Migration } from "kysely/migration";

import { initial } from "./0001-initial.ts";
import { routingInLedger } from "./0002-routing-in-ledger.ts";

/** Every migration by name, in the order of the names. One that was released is never edited: add the next. */
export const MIGRATIONS: Readonly<Record<string, Migration>> = {
  "0001_initial": initial,
  "0002_routing_in_ledger": routingInLedger,
};
