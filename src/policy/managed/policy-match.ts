import { isForAll, normalDomain } from "../../config/sections/managed.ts";

/** Whom a policy is for. */
export interface MatchConditions {
  readonly groups?: readonly string[] | undefined;
  readonly email_domain?: string | undefined;
  readonly emails?: readonly string[] | undefined;
  readonly teams?: readonly string[] | undefined;
}

/** Who asks, as far as policies look. */
export interface PolicySubject {
  /** The groups that the identity provider names. */
  readonly groups: readonly string[];
  /** Null for services. */
  readonly email: string | null;
  /** Name and id of the team, or null. */
  readonly team: { readonly id: string; readonly name: string } | null;
}

/** A condition prepared for asking. */
export interface CompiledMatch {
  /** Whether it is for everybody, and so the base of all others. */
  readonly isForAll: boolean;
  matches(subject: PolicySubject): boolean;
}

/** Prepares the conditions of one policy. */
export function compileMatch(conditions: MatchConditions): CompiledMatch {
  const groups = conditions.groups === undefined ? null : new Set(conditions.groups);
  const teams = conditions.teams === undefined ? null : new Set(conditions.teams);
  const emails =
    conditions.emails === undefined ? null : new Set(conditions.emails.map((email) => email.toLowerCase()));
  const domain = conditions.email_domain === undefined ? null : normalDomain(conditions.email_domain);
  return {
    isForAll: isForAll({ ...conditions }),
    matches({ groups: own, email, team }) {
      if (groups !== null && !own.some((group) => groups.has(group))) return false;
      if (domain !== null && (email === null || domainOf(email) !== domain)) return false;
      if (emails !== null && (email === null || !emails.has(email.toLowerCase()))) return false;
      return teams === null || (team !== null && (teams.has(team.id) || teams.has(team.name)));
    },
  };
}

/** What follows the last `@`, in lower case; null for what is no address. */
function domainOf(email: string): string | null {
  const at = email.lastIndexOf("@");
  return at < 0 ? null : email.slice(at + 1).toLowerCase();
}
