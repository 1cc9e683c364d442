import { type ChildProcess, spawn } from "node:child_process";

import { SERVER_ENVIRONMENT } from "./system-process.ts";

export interface WatchdogOptions {
  /** Directory of the client registry and our own name in it. */
  readonly clientsDirectory: string;
  readonly ownName: string;
  readonly dataDirectory: string;
  /** How long the server outlives a killed Weir, so that a restarted one finds it running. */
  readonly graceMs: number;
}

/**
 * Waits on a pipe that closes when Weir dies, however it dies. After the grace, unless another process uses the server by
 * then, it stops the server in the ordinary way. Only POSIX shell: about 1 MB, and nothing to install.
 */
const SCRIPT = `
while read -r line; do [ "$line" = bye ] && exit 0; done
clients=$1 own=$2 data=$3
sleep "$4"
alive() {
  kill -0 "$1" 2>/dev/null || return 1
  if [ -r "/proc/$1/stat" ]; then case "$(cat "/proc/$1/stat" 2>/dev/null)" in *") Z "*) return 1 ;; esac; fi
  return 0
}
for file in "$clients"/*; do
  name=\${file##*/}
  if [ "$name" != "$own" ] && alive "\${name%%-*}"; then exit 0; fi
done
read -r server < "$data/postmaster.pid" || exit 0
if [ -r "/proc/$server/cmdline" ]; then command=$(tr '\\0' ' ' < "/proc/$server/cmdline")
else command=$(ps -p "$server" -o command=); fi
case "$command " in *" -D $data "*) kill -INT "$server"; kill -CONT "$server" ;; esac
`;

/** Sees to it that a killed Weir leaves no PostgreSQL behind. */
export class Watchdog {
  readonly #options: WatchdogOptions;
  #child: ChildProcess | null = null;

  constructor(options: WatchdogOptions) {
    this.#options = options;
  }

  start(): void {
    const { clientsDirectory, ownName, dataDirectory, graceMs } = this.#options;
    const args = ["-c", SCRIPT, "weir-watchdog", clientsDirectory, ownName, dataDirectory, String(graceMs / 1000)];
    const child = spawn("/bin/sh", args, {
      cwd: "/",
      env: SERVER_ENVIRONMENT,
      stdio: ["pipe", "ignore", "ignore"],
      detached: true,
    });
    // Without a watchdog a killed Weir leaves its server to the next start, which takes it over: worse, not wrong.
    child.once("error", () => {});
    child.stdin.on("error", () => {});
    child.unref();
    this.#child = child;
  }

  /** Tells the watchdog that Weir ends in good order. Resolves when it has ended. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return;
    const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
    child.ref();
    child.stdin?.end("bye\n");
    await ended;
  }
}
