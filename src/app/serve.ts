import { hostInUrl } from "../cli/base-url.ts";
import { CliError, EXIT } from "../cli/cli-error.ts";
import { configInvalid } from "../cli/error-report.ts";
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

/** Runs Weir until SIGINT or SIGTERM; SIGHUP reloads the configuration. Resolves with the exit code, rejects with CliError. */
export async function serve(load: LoadOptions, context: ServeContext): Promise<number> {
  const beganMs = context.clock.monotonicMs();
  const loaded = await loadConfig(load);
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
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
    tellFirstKey(server, context);
    throw startFailure(error, loaded.config);
  }
  announce(server, context, { files: loaded.files, seconds: (context.clock.monotonicMs() - beganMs) / 1000 });
  const signal = await ended;
  context.stderr(`weir: ${signal} received, finishing what is in progress\n`);
  await server.stop();
  return EXIT.ok;
}

/** The first key is made once and stored nowhere: a first start that then fails (a taken port) must still show it. */
function tellFirstKey(server: WeirServer, context: ServeContext): void {
  if (server.firstRun === null) return;
  context.stderr(`weir: the first key was made all the same, and is shown this once: ${server.firstRun.secret}\n`);
}

function announce(
  server: WeirServer,
  context: ServeContext,
  start: { files: readonly string[]; seconds: number },
): void {
  const { config } = server;
  const scheme = config.listen.tls === undefined ? "http" : "https";
  const url = config.listen.public_url ?? `${scheme}://${hostInUrl(config.listen.host)}:${server.port}`;
  const adminUrl = `http://${hostInUrl(config.admin_listen.host)}:${server.adminPort}`;
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

/** A start's failure in words that say what to do. Errors with a remedy of their own are told as they are. */
function startFailure(error: unknown, config: Config): unknown {
  const code = error instanceof Error && "code" in error ? error.code : null;
  const port = error instanceof Error && "port" in error && typeof error.port === "number" ? error.port : null;
  if (code === "EADDRINUSE") {
    const setting = port === config.admin_listen.port ? "admin_listen.port in weir.yaml" : "WEIR_PORT";
    const remedy = `Stop that program, or choose another port: set ${setting}.`;
    return new CliError("unavailable", `port ${port} is in use by another program`, { remedy });
  }
  if (code === "EACCES" && port !== null) {
    const remedy = "Choose a port above 1023: set WEIR_PORT.";
    return new CliError("unavailable", `this user may not listen on port ${port}`, { remedy });
  }
  return error;
}
