import { execFile } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Peer } from "./peer.ts";
import { startPinned } from "./pinned-process.ts";

const run = promisify(execFile);
const home = join(import.meta.dirname, "portkey");
const installed = join(home, "node_modules/@portkey-ai/gateway");

export const portkey: Peer = {
  name: "portkey",
  description:
    "@portkey-ai/gateway, the open-source gateway that runs on Node: routes to one provider, no keys, budgets or ledger of its own",
  answers: "exact",
  mayFallBehind: true,
  available: async () => {
    if (existsSync(installed)) return null;
    try {
      await run("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], { cwd: home });
      return null;
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.split("\n")[1] : String(cause);
      return `@portkey-ai/gateway could not be installed (cd bench/peers/portkey && npm ci --ignore-scripts): ${reason}`;
    }
  },
  version: async () =>
    (JSON.parse(readFileSync(join(installed, "package.json"), "utf8")) as { version: string }).version, // npm's
  start: async ({ port, upstreamPort, cpus, logFile, directory }) => {
    const running = await startPinned({
      cpus: cpus.gateway,
      command: process.execPath,
      args: [join(installed, "build/start-server.js"), `--port=${port}`, "--headless"],
      env: { NODE_ENV: "production", TRUSTED_CUSTOM_HOSTS: "127.0.0.1" },
      logFile,
      directory,
      readyUrl: `http://127.0.0.1:${port}/`,
    });
    const headers = {
      "x-portkey-provider": "anthropic",
      "x-portkey-custom-host": `http://127.0.0.1:${upstreamPort}/v1`,
      "x-api-key": "sk-ant-bench-0000000000000000",
    };
    return { ...running, headers };
  },
};
