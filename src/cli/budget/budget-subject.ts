import type { Command } from "commander";

import type { KeyHasher } from "../../identity/key-secret.ts";
import type { DirectorySnapshot, OrganizationRecord } from "../../store/ports/directory.ts";
import type { LimitScope, Sharing } from "../../store/ports/spend-limits.ts";
import { CliError } from "../cli-error.ts";
import { quoted, requireRecord } from "../directory/find-record.ts";
import { findKey } from "../keys/find-key.ts";
import { nameOption } from "../options/text-option.ts";

/** The options that say whose budget is meant. */
export interface SubjectOptions {
  readonly org?: string;
  readonly organization?: boolean;
  readonly team?: string;
  readonly group?: string;
  readonly user?: string;
  readonly key?: string;
  readonly tag?: string;
  readonly eachUser?: boolean;
}

/** Whose budget is meant. */
export interface BudgetSubjectChoice {
  readonly scope: LimitScope;
  readonly subjectId: string;
  readonly sharing: Sharing;
  /** For people: `team platform, each user`. */
  readonly title: string;
}

interface Within {
  readonly snapshot: DirectorySnapshot;
  readonly organization: OrganizationRecord;
  readonly hasher: KeyHasher;
  readonly nowMs: number;
  /** Tags that requests may name, and those of keys. */
  readonly tags: readonly string[];
}

const CHOICES = ["organization", "team", "group", "user", "key", "tag"] as const;

export function addSubjectOptions(command: Command): Command {
  return command
    .option("--org <organisation>", "organisation, by name or id; needed when there are several")
    .optionsGroup("Whose budget (one of them):")
    .option("--organization", "the whole organisation")
    .option("--team <team>", "a team, by name or id", nameOption)
    .option("--group <group>", "every member of a group of the identity provider", nameOption)
    .option("--user <user>", "a user, by name, e-mail or id", nameOption)
    .option("--key <key>", "a key, by name, hint or id", nameOption)
    .option("--tag <tag>", "a project tag", nameOption)
    .option("--each-user", "with --organization or --team: for every user of it, instead of all together")
    .optionsGroup("Options:");
}

/** The subject that the options name. Throws CliError when they name none, several, or one that does not exist. */
export function subjectOf(options: SubjectOptions, within: Within): BudgetSubjectChoice {
  const chosen = CHOICES.filter((choice) => options[choice] !== undefined && options[choice] !== false);
  const [choice, second] = chosen;
  if (choice === undefined || second !== undefined) {
    const said = chosen.map((name) => `--${name}`).join(" and ");
    const problem = choice === undefined ? "the command does not say whose budget" : `${said} exclude each other`;
    throw new CliError("usage", problem, {
      remedy: `Add one of ${CHOICES.map((name) => `--${name}`).join(", ")}.`,
    });
  }
  const isSeat = options.eachUser === true;
  if (isSeat && choice !== "organization" && choice !== "team" && choice !== "group") {
    throw new CliError("usage", `--each-user does not go with --${choice}`, {
      remedy: "Leave it out, or name an organisation or a team.",
    });
  }
  const subject = FIND[choice](options, within);
  const sharing = isSeat || choice === "group" ? "seat" : "shared";
  return { ...subject, sharing, title: sharing === "seat" ? `${subject.title}, each user` : subject.title };
}

type Found = Omit<BudgetSubjectChoice, "sharing">;

const FIND: Readonly<Record<(typeof CHOICES)[number], (options: SubjectOptions, within: Within) => Found>> = {
  organization: (_, { organization: { id, name } }) => ({
    scope: "organization",
    subjectId: id,
    title: `organisation ${quoted(name)}`,
  }),
  team: ({ team = "" }, within) => {
    const sought = { kind: "team", remedy: "`weir keys create --team NAME --create-team` makes a team." } as const;
    const found = requireRecord(inside(within, within.snapshot.teams), team, { sought });
    return { scope: "team", subjectId: found.id, title: `team ${quoted(found.name)}` };
  },
  group: ({ group = "" }) => ({ scope: "group", subjectId: group, title: `group ${quoted(group)}` }),
  user: ({ user = "" }, within) => {
    const sought = { kind: "user", remedy: "`weir keys list` shows the users of keys." } as const;
    const aliases = ({ email }: { readonly email: string | null }): readonly (string | null)[] => [email];
    const found = requireRecord(inside(within, within.snapshot.users), user, { sought, aliases });
    return { scope: "user", subjectId: found.id, title: `user ${quoted(found.name)}` };
  },
  key: ({ key = "" }, within) => {
    const { snapshot, hasher, nowMs } = within;
    const found = findKey(key, { snapshot: { ...snapshot, keys: inside(within, snapshot.keys) }, hasher, nowMs });
    return { scope: "key", subjectId: found.id, title: `key ${quoted(found.name)}` };
  },
  tag: ({ tag = "" }, { tags }) => {
    if (tags.includes(tag)) return { scope: "tag", subjectId: tag, title: `tag ${quoted(tag)}` };
    const known = tags.length === 0 ? "No tag is set up yet." : `There are: ${tags.map(quoted).join(", ")}.`;
    throw new CliError("not_found", `there is no tag ${quoted(tag)}`, {
      remedy: `${known} Add it to tags.allowed in the configuration, or give it to a key with \`weir budget tag\`.`,
      details: { kind: "tag", wanted: tag },
    });
  },
};

function inside<T extends { readonly organizationId: string }>({ organization }: Within, records: readonly T[]): T[] {
  return records.filter(({ organizationId }) => organizationId === organization.id);
}
