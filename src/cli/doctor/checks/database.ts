import type { DatabaseInspection } from "../../cli-context.ts";
import { asCliError } from "../../error-report.ts";
import type { Check, DatabaseReading } from "../examination.ts";
import { fail, type Finding, ok, warn } from "../finding.ts";

/** Beyond it, times in reports look wrong to people. */
const NOTICED_MS = 2_000;
/** Beyond it, keys expire and budgets turn over at the wrong time. */
const HARMFUL_MS = 60_000;
/** Before this Weir was written: a clock that was never set. */
const EARLIEST_MS = Date.UTC(2026, 0, 1);

export const postgresCheck: Check = {
  id: "postgres",
  title: "PostgreSQL programs",
  run: (examination) =>
    examination.withConfig(async (config) => {
      if (config.store.postgres_url !== undefined) return ok("not needed: store.postgres_url is set");
      try {
        const { version, directory } = await examination.context.inspect.embeddedPostgres();
        return ok(`${version} in ${directory}`);
      } catch (error) {
        const { message, remedy } = asCliError(error);
        return fail(message, remedy);
      }
    }),
};

export const databaseCheck: Check = {
  id: "database",
  title: "Database",
  run: (examination) =>
    examination.withConfig(async (config) => {
      try {
        return judgeDatabase((await examination.database(config)).inspection);
      } catch (error) {
        const { message, remedy } = asCliError(error);
        return fail(`it cannot be reached: ${message}`, remedy);
      }
    }),
};

/** Judges the database's version of Weir's tables. */
export function judgeDatabase(inspection: DatabaseInspection): Finding {
  if (inspection.state === "absent") return ok("not made yet; the first `weir serve` makes it");
  const { kind, address, serverVersion, pendingMigrations, unknownMigrations } = inspection;
  const detail = `PostgreSQL ${serverVersion}, ${kind}, ${address}`;
  if (unknownMigrations.length > 0) {
    return fail(
      `${detail}: a newer Weir has changed its tables (${unknownMigrations.join(", ")})`,
      "Run that version of Weir or a newer one.",
    );
  }
  if (pendingMigrations.length === 0) return ok(`${detail}, tables are current`);
  return warn(
    `${detail}: ${pendingMigrations.length} ${pendingMigrations.length === 1 ? "migration is" : "migrations are"} to be made (${pendingMigrations.join(", ")})`,
    "`weir serve` makes them when it starts. Back the database up first.",
  );
}

export const clockCheck: Check = {
  id: "clock",
  title: "Clock",
  run: (examination) =>
    examination.withConfig(async (config) => {
      const own = judgeOwnClock(examination.context.clock.nowMs());
      if (own.status !== "ok") return own;
      try {
        return judgeClocks(await examination.database(config));
      } catch {
        // The check of the database says why.
        return own;
      }
    }),
};

function judgeOwnClock(nowMs: number): Finding {
  const time = new Date(nowMs).toISOString();
  if (nowMs >= EARLIEST_MS) return ok(time);
  return fail(`${time} is in the past: this clock was never set`, "Set the clock; run an NTP client such as chrony.");
}

/** Judges this machine's clock against the database server's. */
export function judgeClocks({ inspection, askedAtMs }: DatabaseReading): Finding {
  const time = new Date(askedAtMs).toISOString();
  if (inspection.state === "absent") return ok(time);
  const offMs = askedAtMs - inspection.nowMs;
  const off = Math.abs(offMs);
  if (off < NOTICED_MS) return ok(`${time}, the same as the database's`);
  const detail = `${(off / 1000).toFixed(0)} s ${offMs > 0 ? "ahead of" : "behind"} the database's clock`;
  const remedy = "Run an NTP client such as chrony on both machines.";
  return off < HARMFUL_MS
    ? warn(detail, remedy)
    : fail(`${detail}: keys and budgets would end at the wrong time`, remedy);
}
