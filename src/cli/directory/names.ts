import type { DirectorySnapshot, KeyRecord, TeamRecord, UserRecord } from "../../store/ports/directory.ts";

/** Looks up records of a directory by their ids. */
export class Names {
  readonly #teams: ReadonlyMap<string, TeamRecord>;
  readonly #users: ReadonlyMap<string, UserRecord>;
  readonly #keys: ReadonlyMap<string, KeyRecord>;

  constructor(snapshot: DirectorySnapshot) {
    this.#teams = new Map(snapshot.teams.map((record) => [record.id, record]));
    this.#users = new Map(snapshot.users.map((record) => [record.id, record]));
    this.#keys = new Map(snapshot.keys.map((record) => [record.id, record]));
  }

  user(id: string | null): UserRecord | null {
    return id === null ? null : (this.#users.get(id) ?? null);
  }

  team(id: string | null): TeamRecord | null {
    return id === null ? null : (this.#teams.get(id) ?? null);
  }

  key(id: string | null): KeyRecord | null {
    return id === null ? null : (this.#keys.get(id) ?? null);
  }

  /** The team that a key counts for: its own, else its user's. */
  teamOfKey(key: KeyRecord): TeamRecord | null {
    return this.team(key.teamId ?? this.user(key.userId)?.teamId ?? null);
  }
}
