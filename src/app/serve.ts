import { formatDiagnostic } from "../config/diagnostic.ts";
import { loadConfig, type LoadOptions } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import type { Clock } from "../core/clock.ts";
import { banner } from "./banner.ts";
import { WeirServer } from "./weir-server.ts";

export interface ServeContext {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** One JSON line instead of the banner. */
  readonly json: boolean;
  readonly stdout: (text: string) => void;
  readonly stderr: (text: string) => void;
}

/** Exit codes of `weir serve`. */
const OK = 0;
const CONFIG_INVALID = 1;
const CANNOT_START = 3;

/** Runs Weir until SIGINT or SIGTERM; SIGHUP reloads the configuration. Resolves with the exit code. */
export async function serve(load: LoadOptions, context: ServeContext): Promise<number> {
  const beganMs = context.clock.monotonicMs();
  const loaded = await loadConfig(load);
  if (!loaded.ok) {
    for (const diagnostic of loaded.diagnostics) context.stderr(`${formatDiagnostic(diagnostic)}\n`);
    return CONFIG_INVALID;
  }
  for (const warning of loaded.warnings) context.stderr(`${formatDiagnostic(warning)}\n`);
  const server = new WeirServer({
    loaded,
    load,
    clock: context.clock,
    env: context.env,
    version: context.version,
    writeLog: context.stderr,
  });
  const ended = untilSignal(server, context);
  try {
    await server.start();
  } catch (error) {
    context.stderr(`weir: ${startFailure(error, loaded.config)}\n`);
    return CANNOT_START;
  }
  announce(server, context, { files: loaded.files, seconds: (context.clock.monotonicMs() - beganMs) / 1000 });
  const signal = await ended;
  context.stderr(`weir: ${signal} received, finishing what is in progress\n`);
  await server.stop();
  return OK;
}

function announce(
  server: WeirServer,
  context: ServeContext,
  start: { files: readonly string[]; seconds: number },
): void {
  const { config } = server;
  const scheme = config.listen.tls === undefined ? "http" : "https";
  const url = config.listen.public_url ?? `${scheme}://${reachable(config.listen.host)}:${server.port}`;
  const adminUrl = `http://${reachable(config.admin_listen.host)}:${server.adminPort}`;
  const secret = server.firstRun?.secret ?? null;
  if (context.json) {
    const ready = {
      event: "ready",
      url,
      admin_url: adminUrl,
      sandbox: server.hasSandbox,
      pid: process.pid,
      key: secret,
    };
    context.stdout(`${JSON.stringify(ready)}\n`);
    return;
  }
  context.stdout(
    banner({
      version: context.version,
      url,
      adminUrl,
      profile: config.profile,
      sandbox: server.hasSandbox,
      upstreams: config.upstreams.map((upstream) => upstream.name),
      configFiles: start.files,
      dataDir: config.data_dir,
      seconds: start.seconds,
      secret,
    }),
  );
}

/** An address that a client on this machine can use for one to listen on. */
function reachable(host: string): string {
  if (host === "0.0.0.0" || host === "::") return "127.0.0.1";
  return host.includes(":") ? `[${host}]` : host;
}

/** Resolves with the first signal to end; a second one ends the process at once. */
function untilSignal(server: WeirServer, context: ServeContext): Promise<NodeJS.Signals> {
  process.on("SIGHUP", () => {
    server.reload().then(
      (result) => {
        if (result.ok) return;
        for (const diagnostic of result.diagnostics) context.stderr(`${formatDiagnostic(diagnostic)}\n`);
      },
      (error: unknown) => context.stderr(`weir: cannot reload: ${String(error)}\n`),
    );
  });
  return new Promise((resolve) => {
    let ending = false;
    for (const signal of ["SIGINT", "SIGTERM"] as const) {
      process.on(signal, () => {
        if (ending) process.exit(130);
        ending = true;
        resolve(signal);
      });
    }
  });
}

/** A start's failure in words that say what to do. */
function startFailure(error: unknown, config: Config): string {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const port =
    error instanceof Error && "port" in error && typeof error.port === "number" ? error.port : config.listen.port;
  if (code === "EADDRINUSE") {
    const setting = port === config.admin_listen.port ? "admin_listen.port in weir.yaml" : "WEIR_PORT";
    return `port ${port} is in use by another program.\n  Stop that program, or choose another port: set ${setting}.`;
  }
  if (code === "EACCES") return `this user may not listen on port ${port}.\n  Choose a port above 1023: set WEIR_PORT.`;
  return error instanceof Error ? error.message : String(error);
}
