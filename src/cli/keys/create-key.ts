import type { IdGenerator } from "../../core/id.ts";
import { hintOfSecret, newKeySecret } from "../../identity/key-secret.ts";
import { BUILTIN_MODELS, matchesModel } from "../../message/models.ts";
import type {
  BudgetRecord,
  DirectorySnapshot,
  KeyRecord,
  TeamRecord,
  UserRecord,
} from "../../store/ports/directory.ts";
import type { Config } from "../../config/schema.ts";
import type { Records } from "../cli-context.ts";
import { CliError } from "../cli-error.ts";
import { requireOrganization } from "../directory/find-record.ts";
import { momentMs } from "../options/parse-moment.ts";
import { addSpan } from "../options/parse-span.ts";
import { budgetsOf, type Expiry, type KeyOptions } from "./key-options.ts";
import { revoked, teamFor, userFor } from "./key-owner.ts";

/** What creating a key will write. Nothing has been written yet. */
export interface KeyPlan {
  /** Records that do not exist yet. */
  readonly newTeam: TeamRecord | null;
  readonly newUser: UserRecord | null;
  readonly budgets: readonly BudgetRecord[];
  readonly key: KeyRecord;
  readonly secret: string;
}

interface PlanFacts {
  readonly records: Records;
  readonly snapshot: DirectorySnapshot;
  readonly ids: IdGenerator;
  readonly nowMs: number;
}

/** Works out all records of a new key. Throws CliError before anything is written when something does not fit. */
export function planKey(options: KeyOptions, { records, snapshot, ids, nowMs }: PlanFacts): KeyPlan {
  const { name } = options;
  if (name === undefined) {
    throw new CliError("usage", "the key has no name", {
      remedy: "Add --name with what it is for, such as --name laptop.",
    });
  }
  const organization = requireOrganization(snapshot, options.org);
  if (organization.status === "revoked") throw revoked("organisation", organization.name);
  const team = teamFor(options, { organization, snapshot, ids });
  const user = userFor(options, { organization, snapshot, ids, teamId: team.record?.id ?? null });
  const secret = newKeySecret(options.class);
  const key: KeyRecord = {
    id: ids.next("key"),
    organizationId: organization.id,
    // A user's team is found through the user, so that the key follows when the user changes teams.
    teamId: team.record?.id ?? null,
    userId: user.record?.id ?? null,
    name,
    keyClass: options.class,
    hmac: records.hasher.hmac(secret),
    hint: hintOfSecret(secret),
    scopes: {
      models: options.models ?? [],
      endpoints: options.endpoints ?? [],
      addresses: options.addresses ?? [],
    },
    limits: {
      requestsPerMinute: options.rpm ?? null,
      tokensPerMinute: options.tpm ?? null,
      maxConcurrent: options.concurrency ?? null,
    },
    createdAtMs: nowMs,
    expiresAtMs: options.expires === undefined ? null : expiryMs(options.expires, nowMs, organization.timeZone),
    revokedAtMs: null,
    replacesKeyId: null,
  };
  const budgets = budgetsOf(options).map(({ window, limitMicroUsd }) => keyBudget(key, { ids, window, limitMicroUsd }));
  return {
    newTeam: team.isNew ? team.record : null,
    newUser: user.isNew ? user.record : null,
    budgets,
    key,
    secret,
  };
}

/** Writes what was planned, the key last: it must not be valid for a moment without its budgets. */
export async function writeKey(plan: KeyPlan, { directory }: Records): Promise<void> {
  if (plan.newTeam !== null) await directory.createTeam(plan.newTeam);
  if (plan.newUser !== null) await directory.createUser(plan.newUser);
  for (const budget of plan.budgets) await directory.putBudget(budget);
  await directory.createKey(plan.key);
}

/** A hard budget of a key. */
function keyBudget(
  key: KeyRecord,
  { ids, window, limitMicroUsd }: { ids: IdGenerator } & Pick<BudgetRecord, "window" | "limitMicroUsd">,
): BudgetRecord {
  return {
    id: ids.next("bud"),
    organizationId: key.organizationId,
    scope: "key",
    subjectId: key.id,
    window,
    limitMicroUsd,
    enforcement: "hard",
  };
}

/** When a key expires, milliseconds since the epoch. Throws CliError when that is not in the future. */
export function expiryMs(expiry: Expiry, nowMs: number, timeZone: string): number {
  const atMs = "span" in expiry ? addSpan(nowMs, expiry.span, timeZone) : momentMs(expiry.moment, timeZone);
  if (atMs > nowMs) return atMs;
  throw new CliError("usage", `--expires is in the past: ${new Date(atMs).toISOString()}`, {
    remedy: "Give a date in the future, or a span such as 90d.",
  });
}

/** Patterns that no model matches which this Weir knows. Not an error: models may be added later. */
export function unmatchedPatterns(patterns: readonly string[], config: Config): string[] {
  const known = [...BUILTIN_MODELS, ...config.models].map(({ id }) => id);
  return patterns.filter((pattern) => !known.some((id) => matchesModel(pattern, id)));
}
