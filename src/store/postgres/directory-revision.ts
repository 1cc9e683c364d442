import type { Kysely } from "kysely";

import type { Database } from "./schema.ts";

/** The channel on which committed changes of the directory are told, with the revision as the payload. */
export const DIRECTORY_CHANNEL = "weir_directory";

/** The revision that the triggers of the migrations raise with every committed change. */
export async function readRevision(db: Kysely<Database>): Promise<number> {
  const row = await db
    .selectFrom("meta")
    .select("value")
    .where("name", "=", "directory_revision")
    .executeTakeFirstOrThrow();
  return row.value;
}
