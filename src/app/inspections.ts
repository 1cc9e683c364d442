import path from "node:path";

import type { Clock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import type { ConnectedUpstream, DatabaseInspection, InspectedRoutes, Inspections } from "../cli/cli-context.ts";
import { hostInUrl } from "../cli/base-url.ts";
import { redactUrl } from "../config/redact.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import { credentialOf } from "../config/upstream-credential.ts";
import { Router } from "../routing/router.ts";
import { findPostgresPackage } from "../store/embedded/binaries.ts";
import { findHome } from "../store/embedded/cluster-home.ts";
import { EmbeddedPostgres } from "../store/embedded/embedded-postgres.ts";
import type { PostgresConnection } from "../store/postgres-connection.ts";
import { inspectDatabase } from "../store/postgres/inspect-database.ts";
import { createCredential } from "../upstream/credentials/create-credential.ts";
import { systemScheduler } from "../upstream/credentials/scheduler.ts";
import { Upstream } from "../upstream/upstream.ts";
import { AUDIT_KEY_FILE } from "./audit-signing-key.ts";
import { compileSnapshot } from "./compile-snapshot.ts";
import { externalConnection } from "./records.ts";
import { routingSettings } from "./routing-settings.ts";
import { PEPPER_FILE } from "./secrets.ts";
import { isServing } from "./is-serving.ts";
import type { CredentialSurroundings } from "./upstreams/credential-pool.ts";
import { probeOf } from "./upstreams/probe-of.ts";
import { upstreamSettings } from "./upstreams/upstream-settings.ts";
import { tlsOf, tokenNetworkOf } from "./upstreams/way-out.ts";

/** What `weir doctor` and `weir route` look at, on the real adapters. */
export function inspections(clock: Clock): Inspections {
  return {
    embeddedPostgres: () => findPostgresPackage(),
    database: (config) => inspect(config, clock),
    connectUpstream: (upstream, config, options) => connectUpstream(upstream, config, { ...options, clock }),
    routes: (config) => routes(config, clock),
    runningAdmin,
    journalDirectory: (config) => path.join(config.data_dir, "journal"),
    secretFiles: (config) => [PEPPER_FILE, AUDIT_KEY_FILE].map((name) => path.join(config.data_dir, name)),
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

async function connectUpstream(
  upstreamConfig: UpstreamConfig,
  config: Config,
  { credentials, clock }: { credentials: boolean; clock: Clock },
): Promise<ConnectedUpstream> {
  const network = await tokenNetworkOf(config);
  const context = { ...quietly(clock), upstream: upstreamConfig.name, network };
  const credential = createCredential(credentialOf(upstreamConfig), context);
  const tls = upstreamConfig.provider === "sandbox" ? null : await tlsOf(upstreamConfig, config);
  const upstream = new Upstream(upstreamSettings(upstreamConfig, config, { credential, tls, sandboxUrl: null }));
  if (credentials) await credential.start();
  return {
    upstream,
    probe: probeOf(upstreamConfig, upstream.dialect, config),
    close: async () => {
      await upstream.connections.destroy();
      await credential.stop();
    },
  };
}

/** Asks for no credential and connects to nothing: routes depend on neither. */
async function routes(config: Config, clock: Clock): Promise<InspectedRoutes> {
  const network = await tokenNetworkOf(config);
  const upstreams = config.upstreams.map((upstream) => {
    const credential = createCredential(credentialOf(upstream), {
      ...quietly(clock),
      upstream: upstream.name,
      network,
    });
    const sandboxUrl = upstream.provider === "sandbox" ? "http://127.0.0.1" : null;
    return new Upstream(upstreamSettings(upstream, config, { credential, tls: null, sandboxUrl }));
  });
  const { routes: table } = compileSnapshot(config, upstreams, { revision: 0, nowMs: clock.nowMs() });
  const names = upstreams.map(({ name }) => name);
  return {
    table,
    router: new Router({ settings: routingSettings(config), upstreams: names, random: Math.random, seed: 1 }),
    close: async () => {
      await Promise.all(upstreams.map(({ connections }) => connections.destroy()));
    },
  };
}

/** Null also where only the running server knows the port, because the system chose it. */
async function runningAdmin({ admin_listen: { host, port }, data_dir: dataDir }: Config): Promise<string | null> {
  if (port === 0 || !(await isServing(dataDir))) return null;
  return `http://${hostInUrl(host)}:${port}`;
}

function quietly(clock: Clock): CredentialSurroundings {
  return { clock, logger: silentLogger, scheduler: systemScheduler, random: Math.random };
}
