import path from "node:path";

import type { Clock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import type { DatabaseInspection, Inspections } from "../cli/cli-context.ts";
import { redactUrl } from "../config/redact.ts";
import type { Config } from "../config/schema.ts";
import { findPostgresPackage } from "../store/embedded/binaries.ts";
import { findHome } from "../store/embedded/cluster-home.ts";
import { EmbeddedPostgres } from "../store/embedded/embedded-postgres.ts";
import type { PostgresConnection } from "../store/postgres-connection.ts";
import { inspectDatabase } from "../store/postgres/inspect-database.ts";
import { Upstream } from "../upstream/upstream.ts";
import { compileSnapshot } from "./compile-snapshot.ts";
import { externalConnection } from "./records.ts";
import { PEPPER_FILE } from "./secrets.ts";
import { upstreamSettings } from "./upstream-settings.ts";
import { UpstreamSet } from "./upstream-set.ts";

/** What `weir doctor` and `weir route` look at, on the real adapters. */
export function inspections(clock: Clock): Inspections {
  return {
    embeddedPostgres: () => findPostgresPackage(),
    database: (config) => inspect(config, clock),
    connectUpstream: async (upstream, config) => new Upstream(await upstreamSettings(upstream, config, null)),
    routes: (config) => routes(config, clock),
    journalDirectory: (config) => path.join(config.data_dir, "journal"),
    secretFiles: (config) => [path.join(config.data_dir, PEPPER_FILE)],
  };
}

async function inspect(config: Config, clock: Clock): Promise<DatabaseInspection> {
  const external = externalConnection(config);
  if (external !== null) {
    const address = redactUrl(config.store.postgres_url ?? "");
    return { state: "ready", kind: "external", address, ...(await inspectDatabase(external, silentLogger)) };
  }
  if ((await findHome(config.data_dir)) === null) return { state: "absent" };
  const server = new EmbeddedPostgres({ dataDir: config.data_dir, clock, logger: silentLogger });
  await server.start();
  try {
    const connection: PostgresConnection = server.connection;
    return {
      state: "ready",
      kind: "embedded",
      address: connection.host,
      ...(await inspectDatabase(connection, silentLogger)),
    };
  } finally {
    await server.stop();
  }
}

async function routes(config: Config, clock: Clock): ReturnType<Inspections["routes"]> {
  const set = new UpstreamSet(silentLogger);
  const prepared = await set.prepare(config);
  const snapshot = compileSnapshot(config, prepared.upstreams, { revision: 0, nowMs: clock.nowMs() });
  return { table: snapshot.routes, close: () => prepared.discard() };
}
