import { z } from "zod";

/** What happens to spend limits while the database is away. */
export const enforcement = z
  .strictObject({
    fail_closed_on_error: z
      .boolean()
      .default(false)
      .describe(
        "Taken as it stands in a `gateway.yaml`; either way Weir goes on enforcing exactly while PostgreSQL is away, from memory and its journal, and neither blocks nor lets through anybody for it. Needs `admin` when true.",
      ),
  })
  .prefault({})
  .describe("What happens to spend limits while the database is away.");
