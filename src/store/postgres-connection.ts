/** How to reach a PostgreSQL server: by its parts (`host` may be the directory of a Unix socket) or by a URL. */
export type PostgresConnection =
  | {
      readonly host: string;
      readonly port: number;
      readonly user: string;
      readonly password: string;
      readonly database: string;
    }
  | { readonly connectionString: string };

/** The form of `PostgresConnection` that Weir's own server has. */
export type PostgresAddress = Exclude<PostgresConnection, { connectionString: string }>;
