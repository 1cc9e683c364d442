import type { IdGenerator } from "../../core/id.ts";
import type { DirectoryStore, TeamRecord, UserRecord } from "../../store/ports/directory.ts";
import type { SignInLink, SignInStore } from "../../store/ports/sign-in.ts";
import { type Person, teamOf } from "../oidc/person.ts";
import type { ProviderSettings } from "../oidc/provider-settings.ts";
import { SignInRefused } from "../oidc/sign-in-refused.ts";

/** A person as a user of the directory. */
export interface DirectoryUser {
  readonly link: SignInLink;
  /** Whether the directory changed, so that replicas have to hear of it first. */
  readonly changed: boolean;
}

/** Makes people of identity providers users: found by issuer and subject, made at their first sign-in, kept up to date. */
export class UserDirectory {
  readonly #directory: DirectoryStore;
  readonly #store: SignInStore;
  readonly #ids: IdGenerator;

  constructor(directory: DirectoryStore, store: SignInStore, ids: IdGenerator) {
    this.#directory = directory;
    this.#store = store;
    this.#ids = ids;
  }

  /** The user of a person, made or changed as the provider says. Throws SignInRefused `user_revoked` or `organization`. */
  async resolve(person: Person, settings: ProviderSettings): Promise<DirectoryUser> {
    const snapshot = await this.#directory.load();
    const organization = snapshot.organizations.find(({ name }) => (settings.organization ?? name) === name);
    if (organization?.status !== "active") {
      throw new SignInRefused(
        "organization",
        "The organisation that you would sign in to does not exist or is closed.",
      );
    }
    const teams = snapshot.teams.filter(({ organizationId }) => organizationId === organization.id);
    const team = await this.#team(organization.id, teams, teamOf(settings, person.groups));
    const users = snapshot.users.filter(({ organizationId }) => organizationId === organization.id);
    const link = await this.#store.link(organization.id, person.issuer, person.subject);
    const taken = link === null ? await this.#adoptable(person, settings, users) : undefined;
    const known = link === null ? taken : users.find(({ id }) => id === link.userId);
    const user = known ?? (await this.#create(person, organization.id, team ?? null));
    const added = { organizationId: organization.id, issuer: person.issuer, subject: person.subject, userId: user.id };
    if (link === null && !(await this.#store.addLink(added)))
      return await this.#afterRace(user, known, { person, settings });
    if (user.status === "revoked")
      throw new SignInRefused("user_revoked", "Your access has ended. Ask your administrator.");
    const changed = known === undefined || (await this.#update(user, person, team));
    return { link: added, changed };
  }

  /** Somebody made the same person a user at the same moment: theirs counts, and a user made here in vain is closed. */
  async #afterRace(
    user: UserRecord,
    known: UserRecord | undefined,
    { person, settings }: { person: Person; settings: ProviderSettings },
  ): Promise<DirectoryUser> {
    if (known === undefined) await this.#directory.setStatus("user", user.id, "revoked");
    return await this.resolve(person, settings);
  }

  /** The user with the person's address whom no provider has signed in yet, where that is allowed. */
  async #adoptable(
    person: Person,
    settings: ProviderSettings,
    users: readonly UserRecord[],
  ): Promise<UserRecord | undefined> {
    const email = person.email?.toLowerCase();
    if (!settings.link_users_by_email || email === undefined) return undefined;
    const found = users.find((user) => user.email?.toLowerCase() === email && user.status === "active");
    if (found === undefined || (await this.#store.isLinked(found.organizationId, found.id))) return undefined;
    return found;
  }

  async #create(person: Person, organizationId: string, teamId: string | null): Promise<UserRecord> {
    const { email } = person;
    const id = this.#ids.next("usr");
    const user: UserRecord = { id, organizationId, teamId, name: nameOf(person), email, status: "active" };
    await this.#directory.createUser(user);
    return user;
  }

  async #update(user: UserRecord, person: Person, team: string | null | undefined): Promise<boolean> {
    const { id, organizationId } = user;
    const email = person.email ?? user.email;
    const name = person.name ?? user.name;
    const teamId = team === undefined ? user.teamId : team;
    if (email === user.email && name === user.name && teamId === user.teamId) return false;
    return await this.#directory.updateUser({ id, organizationId, teamId, name, email });
  }

  /** The id of the team of this name, made where there is none; undefined where groups do not decide. */
  async #team(
    organizationId: string,
    teams: readonly TeamRecord[],
    name: string | null | undefined,
  ): Promise<string | null | undefined> {
    if (name === null || name === undefined) return name;
    const known = teams.find((team) => team.name === name);
    if (known !== undefined) return known.id;
    const id = this.#ids.next("team");
    await this.#directory.createTeam({ id, organizationId, name, status: "active" });
    return id;
  }
}

function nameOf({ name, email, subject }: Person): string {
  return name ?? email ?? subject;
}
