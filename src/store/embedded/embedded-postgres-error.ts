/** The embedded PostgreSQL cannot do what was asked. `message` says what and why, `remedy` what the operator can do. */
export class EmbeddedPostgresError extends Error {
  readonly remedy: string;

  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = "EmbeddedPostgresError";
    this.remedy = remedy;
  }
}

/** The remedy that always works: a server that somebody else runs. */
export const USE_EXTERNAL = "Set store.postgres_url to a PostgreSQL server (15 or newer) of your own.";
