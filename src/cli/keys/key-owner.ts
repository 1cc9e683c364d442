import type { IdGenerator } from "../../core/id.ts";
import type { DirectorySnapshot, OrganizationRecord, TeamRecord, UserRecord } from "../../store/ports/directory.ts";
import { CliError } from "../cli-error.ts";
import { findRecord, notFound, quoted } from "../directory/find-record.ts";
import type { KeyOptions } from "./key-options.ts";

/** A record that a new key belongs to. */
interface Found<T> {
  readonly record: T | null;
  readonly isNew: boolean;
}

interface Within {
  readonly organization: OrganizationRecord;
  readonly snapshot: DirectorySnapshot;
  readonly ids: IdGenerator;
}

/** The team that the options name; null for none. Throws CliError when it does not exist and may not be created. */
export function teamFor(
  { team: wanted, createTeam }: KeyOptions,
  { organization, snapshot, ids }: Within,
): Found<TeamRecord> {
  if (wanted === undefined) {
    if (createTeam !== true) return { record: null, isNew: false };
    throw new CliError("usage", "--create-team does not say which team", { remedy: "Add --team with its name." });
  }
  const teams = snapshot.teams.filter(({ organizationId }) => organizationId === organization.id);
  const remedy = "Add --create-team to create it.";
  const found = findRecord(teams, wanted, { sought: { kind: "team", remedy } });
  if (found?.status === "revoked") throw revoked("team", found.name);
  if (found !== null) return { record: found, isNew: false };
  if (createTeam !== true)
    throw notFound(
      wanted,
      teams.map(({ name }) => name),
      { kind: "team", remedy },
    );
  const record = { id: ids.next("team"), organizationId: organization.id, name: wanted, status: "active" } as const;
  return { record, isNew: true };
}

/** The user that the options name; null for none. Throws CliError when it does not exist and may not be created. */
export function userFor(options: KeyOptions, within: Within & { teamId: string | null }): Found<UserRecord> {
  const { organization, snapshot, ids, teamId } = within;
  const { user: wanted, email } = options;
  if (wanted === undefined) {
    if (email === undefined) return { record: null, isNew: false };
    throw new CliError("usage", "--email belongs to a user, and none is named", { remedy: "Add --user with a name." });
  }
  const users = snapshot.users.filter(({ organizationId }) => organizationId === organization.id);
  const remedy = "Add --email with the address to create the user.";
  const found = findRecord(users, wanted, { sought: { kind: "user", remedy }, aliases: (user) => [user.email] });
  if (found?.status === "revoked") throw revoked("user", found.name);
  if (found !== null) return { record: checkEmail(found, email), isNew: false };
  if (email === undefined)
    throw notFound(
      wanted,
      users.map(({ name }) => name),
      { kind: "user", remedy },
    );
  const holder = users.find((user) => user.email?.toLowerCase() === email.toLowerCase());
  if (holder !== undefined) {
    throw new CliError("conflict", `${email} is the address of user ${quoted(holder.name)} already`, {
      remedy: `Use --user ${quoted(holder.name)}, or another address.`,
    });
  }
  const record = { id: ids.next("usr"), organizationId: organization.id, teamId, name: wanted, email } as const;
  return { record: { ...record, status: "active" }, isNew: true };
}

/** A user that exists keeps the address it has; a different one on the command line means somebody else. */
function checkEmail(user: UserRecord, email: string | undefined): UserRecord {
  if (email === undefined || user.email?.toLowerCase() === email.toLowerCase()) return user;
  const has = user.email === null ? "no e-mail address" : `the address ${user.email}`;
  throw new CliError("conflict", `user ${quoted(user.name)} exists and has ${has}, not ${email}`, {
    remedy: "Leave out --email to mean that user, or give a new user another name.",
  });
}

/** The error for a key that would belong to somebody revoked. */
export function revoked(kind: string, name: string): CliError {
  return new CliError("conflict", `${kind} ${quoted(name)} is revoked: a key for it would not work`, {
    remedy: `Choose another ${kind}.`,
  });
}
