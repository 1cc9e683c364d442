import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Peer } from "./peer.ts";
import { startPinned } from "./pinned-process.ts";

export const bare: Peer = {
  name: "bare",
  description:
    "node:http and undici dispatch, parses the request and meters the answer, nothing else (bench/peers/bare-proxy.ts)",
  answers: "exact",
  mayFallBehind: false,
  available: async () => null,
  version: async () => {
    const manifest = JSON.parse(
      readFileSync(join(import.meta.dirname, "../../node_modules/undici/package.json"), "utf8"),
    ) as { version: string }; // npm's
    return `undici ${manifest.version} on Node ${process.versions.node}`;
  },
  start: async ({ port, upstreamPort, cpus, logFile }) => {
    const running = await startPinned({
      cpus: cpus.gateway,
      command: process.execPath,
      args: [fileURLToPath(import.meta.resolve("./bare-proxy.ts")), String(port), `http://127.0.0.1:${upstreamPort}`],
      logFile,
      readyUrl: `http://127.0.0.1:${port}/`,
    });
    return { ...running, headers: {} };
  },
};
