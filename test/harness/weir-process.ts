import { execFile, spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { rm, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { promisify } from "node:util";

import { newKeySecret } from "../../src/identity/key-secret.ts";
import type { Entry } from "../../src/message/entry.ts";
import { ask } from "./http-answer.ts";
import { newClusterDirectory } from "./postgres.ts";
import { eventually, within } from "./waiting.ts";
import { WeirDatabase } from "./weir-database.ts";

const run = promisify(execFile);
const ROOT = resolve(import.meta.dirname, "../..");
const NODE = join(ROOT, "node_modules/.bin/node");
const WEIR = join(ROOT, "bin/weir.mjs");
const START_TIMEOUT_MS = 60_000;
const STOP_TIMEOUT_MS = 60_000;

/** The credential with which a test's Weir calls a fake upstream. */
export const UPSTREAM_KEY = "sk-ant-test-upstream-credential";

export interface WeirProcessOptions {
  /** Where its one Anthropic upstream is; absent: the built-in sandbox, without latency. */
  readonly upstreamUrl?: string;
  /** Replaces or adds top-level sections of weir.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  /** Called with the data directory before the first start. */
  readonly prepare?: (dataDir: string) => Promise<void> | void;
}

/** How a process ended. */
export interface ProcessEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** What `weir serve --json` says when it is ready. */
interface Ready {
  readonly url: string;
  readonly admin_url: string;
}

/** One real Weir: a process of its own, with its own data directory, embedded PostgreSQL and free ports. */
export class WeirProcess {
  /** The secret of its first key. */
  readonly key: string;
  /** Weir's data directory; `weir.yaml` lies in it too. */
  readonly dataDir: string;
  readonly database: WeirDatabase;
  readonly #env: Readonly<Record<string, string>>;
  #child: ChildProcess | null = null;
  #end: Promise<ProcessEnd> = Promise.resolve({ code: null, signal: null });
  #ready: Ready | null = null;
  #stdout = "";
  #log = "";

  private constructor(dataDir: string, key: string, env: Readonly<Record<string, string>>) {
    this.dataDir = dataDir;
    this.key = key;
    this.#env = env;
    this.database = new WeirDatabase(dataDir);
  }

  /** Starts one in a new directory. Call `dispose` when done. */
  static async start(options: WeirProcessOptions = {}): Promise<WeirProcess> {
    const dataDir = await newClusterDirectory();
    const weir = new WeirProcess(dataDir, newKeySecret("dev"), options.env ?? {});
    try {
      await weir.configure(options);
      await options.prepare?.(dataDir);
      await weir.begin();
    } catch (error) {
      await weir.dispose();
      throw error;
    }
    return weir;
  }

  /** Where clients go. */
  get url(): string {
    return this.#running.url;
  }

  get adminUrl(): string {
    return this.#running.admin_url;
  }

  get pid(): number {
    return this.#child?.pid ?? 0;
  }

  /** Everything that all its runs wrote to standard error, where the log goes. */
  get log(): string {
    return this.#log;
  }

  /** What the present run wrote to standard output. */
  get stdout(): string {
    return this.#stdout;
  }

  /** Writes weir.yaml; a running Weir takes it as it takes any change. */
  async configure({ upstreamUrl, config = {} }: Pick<WeirProcessOptions, "upstreamUrl" | "config">): Promise<void> {
    const upstream =
      upstreamUrl === undefined
        ? { provider: "sandbox", latency_ms: 0, tokens_per_second: "unlimited" }
        : { provider: "anthropic", name: "fake", base_url: upstreamUrl, auth: { api_key: UPSTREAM_KEY } };
    const document = {
      listen: { host: "127.0.0.1", port: 0 },
      admin_listen: { port: 0 },
      data_dir: this.dataDir,
      log: { level: "debug", format: "json" },
      admission: { key: { max_concurrent_requests: "unlimited" } },
      upstreams: [upstream],
      ...config,
    };
    // Every JSON document is a YAML document.
    await writeFile(join(this.dataDir, "weir.yaml"), JSON.stringify(document, null, 2));
  }

  /** Starts it (again) on its data directory; resolves when it serves. */
  async begin(): Promise<void> {
    this.#stdout = "";
    const child = spawn(NODE, [WEIR, "serve", "--json"], {
      cwd: this.dataDir,
      env: this.#environment(),
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    const orphaned = (): void => void child.kill("SIGKILL");
    process.once("exit", orphaned);
    this.#end = once(child, "exit").then(([code, signal]: (number | NodeJS.Signals | null)[]) => {
      process.off("exit", orphaned);
      return {
        code: typeof code === "number" ? code : null,
        signal: typeof signal === "string" ? signal : null,
      };
    });
    child.stderr.setEncoding("utf8").on("data", (text: string) => (this.#log += text));
    const firstLine = new Promise<string>((resolve, reject) => {
      child.stdout.setEncoding("utf8").on("data", (text: string) => {
        this.#stdout += text;
        // The ready line is one line; an error document has several, and the process ends after it.
        const line = /^\{.*\}\n/.exec(this.#stdout)?.[0];
        if (line !== undefined) resolve(line);
      });
      void this.#end.then(({ code }) =>
        reject(new Error(`weir ended with ${code} at its start:\n${this.#stdout}${this.#log}`)),
      );
    });
    const line = await within("weir to be ready", firstLine, START_TIMEOUT_MS);
    this.#ready = JSON.parse(line) as Ready; // the line's form is what `weir serve --json` promises
  }

  /** Sends a signal and resolves when the process has ended. */
  async end(signal: "SIGTERM" | "SIGKILL" = "SIGTERM"): Promise<ProcessEnd> {
    this.signal(signal);
    return await within(`weir to end after ${signal}`, this.#end, STOP_TIMEOUT_MS);
  }

  /** Sends a signal to this very process. */
  signal(signal: NodeJS.Signals): void {
    this.#child?.kill(signal);
  }

  /** Resolves when the process has ended, for whatever reason. */
  get ended(): Promise<ProcessEnd> {
    return this.#end;
  }

  /** The ledger's rows once they are as many as `isEnough` (a count or a condition) says. */
  async entries(isEnough: number | ((entries: readonly Entry[]) => boolean)): Promise<Entry[]> {
    const holds = typeof isEnough === "number" ? (rows: readonly Entry[]) => rows.length >= isEnough : isEnough;
    return await eventually("the ledger has the rows", async () => {
      const rows = await this.database.entries();
      return holds(rows) ? rows : null;
    });
  }

  /** The metrics page. */
  async metrics(): Promise<string> {
    return (await ask(`${this.adminUrl}/metrics`)).body.toString("utf8");
  }

  /** Runs another `weir` command on the same installation, as a person would beside the running one. */
  async command(...args: readonly string[]): Promise<{ stdout: string; stderr: string }> {
    return await run(NODE, [WEIR, ...args], { cwd: this.dataDir, env: this.#environment(), timeout: START_TIMEOUT_MS });
  }

  /** Ends everything that was started and removes the directory. */
  async dispose(): Promise<void> {
    const child = this.#child;
    if (child !== null && child.exitCode === null && child.signalCode === null) await this.end("SIGKILL");
    await this.database.stop();
    await rm(this.dataDir, { recursive: true, force: true, maxRetries: 5 });
  }

  #environment(): NodeJS.ProcessEnv {
    return {
      PATH: "/usr/local/bin:/usr/bin:/bin",
      HOME: this.dataDir,
      // Then the launcher does not start another process, and the pid is Weir's own.
      WEIR_LAUNCHED: "1",
      WEIR_BOOTSTRAP_KEY: this.key,
      ...this.#env,
    };
  }

  get #running(): Ready {
    if (this.#ready === null) throw new Error("weir has not been started");
    return this.#ready;
  }
}
