import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { Client } from "pg";
import { stringify } from "yaml";
import { systemClock } from "../../src/core/clock.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { EmbeddedPostgres } from "../../src/store/embedded/embedded-postgres.ts";
import { signInByDevice } from "./device-sign-in.ts";
import type { Peer, PeerStart, RunningPeer } from "./peer.ts";
import { freePort, startPinned } from "./pinned-process.ts";
import { STUB_CLIENT, type StubIdentityProvider, startStubIdentityProvider } from "./stub-identity-provider.ts";

const run = promisify(execFile);
const home = join(import.meta.dirname, "claude-gateway");
const binary = join(home, "node_modules/@anthropic-ai/claude-code-linux-x64/claude");
const ADMIN_KEY = "bench-admin-key-00000000000000000000";
const ROLE = "claude_gateway";

export const claudeGateway: Peer = {
  name: "claude-gateway",
  description:
    "`claude gateway` of the Claude Code binary: a signed-in user, the spend meter and an organisation's spend limit, in PostgreSQL; its log of every request on",
  answers: "exact",
  mayFallBehind: true,
  available: async () => {
    if (existsSync(binary)) return null;
    return "optional and not installed (360 MB): cd bench/peers/claude-gateway && npm ci --ignore-scripts";
  },
  version: async () => (await run(binary, ["--version"])).stdout.trim(),
  start: async (options) => {
    const postgresPort = await freePort();
    const database = new EmbeddedPostgres({
      dataDir: join(options.directory, "data"),
      logger: silentLogger,
      clock: systemClock,
      port: postgresPort,
    });
    await database.start();
    const provider = await startStubIdentityProvider(await freePort());
    const stopHelpers = async (): Promise<void> => void (await Promise.all([provider.stop(), database.stop()]));
    try {
      return await startGateway(options, { database, postgresPort, provider, stopHelpers });
    } catch (cause) {
      await stopHelpers();
      throw cause;
    }
  },
};

interface Helpers {
  readonly database: EmbeddedPostgres;
  readonly postgresPort: number;
  readonly provider: StubIdentityProvider;
  stopHelpers(): Promise<void>;
}

async function startGateway(options: PeerStart, helpers: Helpers): Promise<RunningPeer> {
  const { port, cpus, directory, logFile } = options;
  const base = `http://127.0.0.1:${port}`;
  const password = await createRole(helpers.database);
  const file = join(directory, "gateway.yaml");
  writeFileSync(file, stringify(configuration(options, helpers, password)));
  const running = await startPinned({
    cpus: cpus.gateway,
    command: binary,
    args: ["gateway", "--config", file],
    env: {
      HOME: directory,
      CLAUDE_GATEWAY_ALLOW_LOOPBACK: "1", // the provider and the upstream are on this machine
      BUN_CONFIG_MAX_HTTP_REQUESTS: "4096", // its default of 256 would hold back the thousand streams
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      DISABLE_TELEMETRY: "1",
    },
    logFile,
    directory,
    readyUrl: `${base}/readyz`,
  });
  const stop = async (): Promise<void> => {
    await running.stop();
    await helpers.stopHelpers();
  };
  try {
    await setSpendLimit(base);
    const token = await signInByDevice(base);
    const databasePid = helpers.database.status().pid;
    return {
      pid: running.pid,
      ...(databasePid === null ? {} : { databasePid }),
      headers: { authorization: `Bearer ${token}` },
      stop,
    };
  } catch (cause) {
    await running.stop();
    throw cause;
  }
}

function configuration(
  { port, upstreamPort }: PeerStart,
  { postgresPort, provider }: Helpers,
  password: string,
): unknown {
  return {
    listen: { host: "127.0.0.1", port },
    oidc: { issuer: provider.issuer, client_id: STUB_CLIENT.id, client_secret: STUB_CLIENT.secret },
    session: { jwt_secret: randomBytes(32).toString("base64"), ttl_hours: 12 },
    store: { postgres_url: `postgres://${ROLE}@127.0.0.1:${postgresPort}/${ROLE}`, password, max_connections: 10 },
    admin: { write_keys: [{ id: "bench", key: ADMIN_KEY }] },
    upstreams: [
      {
        provider: "anthropic",
        base_url: `http://127.0.0.1:${upstreamPort}`,
        auth: { api_key: "sk-ant-bench-0000000000000000" },
      },
    ],
  };
}

/** A role of its own: the gateway refuses the few SCRAM rounds with which Weir's own role signs in. */
async function createRole(database: EmbeddedPostgres): Promise<string> {
  const password = randomBytes(16).toString("hex");
  const client = new Client(database.connection);
  await client.connect();
  await client.query("SET scram_iterations = 4096");
  await client.query(`CREATE ROLE ${ROLE} LOGIN PASSWORD '${password}'`);
  await client.query(`CREATE DATABASE ${ROLE} OWNER ${ROLE}`);
  await client.end();
  return password;
}

/** A limit that is never reached, so that every request is checked against one. In cents, as the Admin API counts. */
async function setSpendLimit(base: string): Promise<void> {
  const response = await fetch(`${base}/v1/organizations/spend_limits`, {
    method: "POST",
    headers: { "x-api-key": ADMIN_KEY, "content-type": "application/json" },
    body: JSON.stringify({ scope: { type: "organization" }, amount: "100000000", period: "monthly" }),
  });
  if (!response.ok) throw new Error(`the spend limit was refused: ${response.status} ${await response.text()}`);
}
