import { execFile } from "node:child_process";
import { randomBytes } from "node:crypto";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { stringify } from "yaml";
import { pinProcess } from "../cpu-plan.ts";
import { groupProcesses, readProcessTable } from "../measure/process-tree.ts";
import { BEDROCK_MODEL, MODEL } from "../translation.ts";
import type { Peer } from "./peer.ts";
import { startPinned } from "./pinned-process.ts";

const run = promisify(execFile);
const root = join(import.meta.dirname, "../..");
const program = join(root, "bin/weir.mjs");

/** More than the load ever asks for, so that every limit and budget is checked and none refuses. */
const UNREACHED_LIMITS = {
  max_concurrent_requests: 2_000,
  requests_per_minute: 1_000_000_000,
  tokens_per_minute: 1_000_000_000_000,
};
const UNREACHED_USD = 1_000_000;

const configuration = (port: number, upstreamPort: number, directory: string): unknown => ({
  profile: "dev",
  data_dir: join(directory, "data"),
  listen: { host: "127.0.0.1", port },
  admin_listen: { host: "127.0.0.1", port: 0 },
  upstreams: [
    {
      provider: "anthropic",
      base_url: `http://127.0.0.1:${upstreamPort}`,
      auth: { api_key: "sk-ant-bench-0000000000000000" },
      probes: false,
    },
    {
      provider: "bedrock",
      region: "us-east-1",
      base_url: `http://127.0.0.1:${upstreamPort}`,
      auth: {
        aws_access_key_id: "AKIAIOSFODNN7EXAMPLE",
        aws_secret_access_key: "bench/0000000000000000000000000000000000",
      },
      probes: false,
    },
  ],
  // Which upstream it is, and so whether anything is translated, depends on the model alone.
  routing: {
    overrides: [
      { models: [MODEL], upstreams: ["anthropic"] },
      { models: [BEDROCK_MODEL], upstreams: ["bedrock"] },
    ],
  },
  network: { proxy: { from_environment: false } },
  admission: { key: UNREACHED_LIMITS, user: UNREACHED_LIMITS, team: UNREACHED_LIMITS, organization: UNREACHED_LIMITS },
  budgets: [
    { scope: "organization", window: "month", limit_usd: UNREACHED_USD },
    { scope: "user", window: "week", limit_usd: UNREACHED_USD },
    { scope: "key", window: "day", limit_usd: UNREACHED_USD },
  ],
  journal: { max_backlog_bytes: 4 * 1024 ** 3 },
  timeouts: { drain_ms: 5_000 },
  log: { level: "info", format: "json" },
});

export const weir: Peer = {
  name: "weir",
  description:
    "everything on: keys, limits and hard budgets on key, user, team and organisation, the durable ledger with its PostgreSQL, metrics, log",
  answers: "exact",
  translates: true,
  mayFallBehind: false,
  available: async () => (existsSync(program) ? null : "bin/weir.mjs does not exist in this checkout"),
  version: async () => {
    const { version } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { version: string }; // our own
    const commit = await run("git", ["describe", "--always", "--dirty"], { cwd: root }).then(
      ({ stdout }) => `, commit ${stdout.trim()}`,
      () => "", // not a git checkout
    );
    return `${version}${commit} on Node ${process.versions.node}`;
  },
  start: async ({ port, upstreamPort, cpus, directory, logFile }) => {
    const file = join(directory, "weir.yaml");
    writeFileSync(file, stringify(configuration(port, upstreamPort, directory)));
    const key = `wr-dev-${randomBytes(32).toString("base64url")}`;
    const running = await startPinned({
      cpus: cpus.gateway,
      command: process.execPath,
      args: [program, "serve", "--config", file],
      env: { WEIR_BOOTSTRAP_KEY: key },
      logFile,
      directory,
      readyUrl: `http://127.0.0.1:${port}/readyz`,
      readyWithinMs: 60_000,
    });
    // The database is not what is measured; its processes inherit the core of the one that starts them.
    for (const pid of groupProcesses(readProcessTable(), running.pid).database) pinProcess(pid, cpus.tools);
    return { ...running, headers: { "x-api-key": key } };
  },
};
