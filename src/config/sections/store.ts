import { z } from "zod";

import { checked, checkedMembers } from "../fields/checked.ts";
import { fieldMarks } from "../fields/mark.ts";
import { parseUrl } from "../fields/network.ts";
import { port } from "../fields/number.ts";
import { secret } from "../fields/secret.ts";

const postgresUrl = checked(z.string().min(1), (value) => {
  const url = parseUrl(value);
  if (url !== null && /^postgres(ql)?:$/.test(url.protocol)) return null;
  return {
    message: "must be a postgres:// or postgresql:// URL",
    fix: "Write for example postgres://db.example.com:5432/weir, with username and password as fields of their own.",
  };
}).register(fieldMarks, { secret: "url" });

const storeMembers = z.strictObject({
  postgres_url: postgresUrl
    .optional()
    .describe("URL of your PostgreSQL. Absent: Weir starts and owns a PostgreSQL server in `data_dir`."),
  username: z.string().min(1).optional().describe("Database user; takes precedence over the URL's."),
  password: secret()
    .optional()
    .describe("Database password, any characters; takes precedence over the URL's and keeps the secret out of it."),
  max_connections: z
    .int()
    .min(1)
    .max(1000)
    .default(5)
    .describe(
      "Connections that each replica opens at most. Replicas times this must stay below the server's own limit.",
    ),
  embedded: z
    .strictObject({
      port: port()
        .optional()
        .describe("Port of the embedded PostgreSQL on 127.0.0.1. Absent: a free port, chosen at each start."),
    })
    .optional()
    .describe("Settings of the embedded PostgreSQL; only without `postgres_url`."),
});

/** Where rows are kept. */
export const store = checkedMembers(storeMembers, (value) => {
  if (value.postgres_url === undefined) {
    return (["username", "password"] as const)
      .filter((name) => value[name] !== undefined)
      .map((name) => ({
        path: [name],
        message: `${name} has no effect without postgres_url, because the embedded PostgreSQL has its own`,
        fix: `Set store.postgres_url, or remove store.${name}.`,
      }));
  }
  if (value.embedded === undefined) return [];
  return [
    {
      path: ["embedded"],
      message: "embedded has no effect because postgres_url is set",
      fix: "Remove store.embedded, or remove store.postgres_url to use the embedded PostgreSQL.",
    },
  ];
})
  .prefault({})
  .describe("The PostgreSQL that holds organisations, keys, budgets and usage.");
