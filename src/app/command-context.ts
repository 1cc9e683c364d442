import type { CliContext, CommonOptions, Records, ServeOptions } from "../cli/cli-context.ts";
import { configInvalid } from "../cli/error-report.ts";
import { processTerminal } from "../cli/terminal/process-terminal.ts";
import { loadConfig, type LoadOptions } from "../config/load.ts";
import type { Config, ConfigInput, ProfileName } from "../config/schema.ts";
import { PROFILE_NAMES } from "../config/schema.ts";
import { CliError } from "../cli/cli-error.ts";
import { systemClock } from "../core/clock.ts";
import { silentLogger } from "../core/logger.ts";
import { KeyHasher } from "../identity/key-secret.ts";
import { auditSigner } from "./audit-signing-key.ts";
import { inspections } from "./inspections.ts";
import { isServing } from "./is-serving.ts";
import { systemUser } from "./process-acts.ts";
import { RecordedAudit } from "./recorded-audit.ts";
import { OpenRecords } from "./records.ts";
import { keyPepper } from "./secrets.ts";
import { serve } from "./serve.ts";

/** What the command line gets: the real adapters, this process's environment and terminal. */
export function commandContext(version: string): CliContext {
  const { env } = process;
  const terminal = processTerminal(env);
  return {
    clock: systemClock,
    env,
    cwd: process.cwd(),
    version,
    terminal,
    inspect: inspections(systemClock),
    loadConfig: (options) => loadConfig(loadOptions(options)),
    systemUser: systemUser(),
    auditSigner: async (options) => await auditSigner(await configOf(options)),
    openRecords,
    serve: (options) =>
      serve(loadOptions(options, listenOverrides(options)), {
        clock: systemClock,
        env,
        version,
        json: options.json === true,
        stdout: (text) => void process.stdout.write(text),
        stderr: (text) => void process.stderr.write(text),
      }),
  };
}

function loadOptions(options: CommonOptions, overrides: ConfigInput = {}): LoadOptions {
  const profile = options.profile === undefined ? undefined : profileName(options.profile);
  const merged: ConfigInput = options.dataDir === undefined ? overrides : { ...overrides, data_dir: options.dataDir };
  return {
    cwd: process.cwd(),
    env: process.env,
    overrides: merged,
    ...(options.config === undefined ? {} : { path: options.config }),
    ...(profile === undefined ? {} : { profile }),
  };
}

function listenOverrides({ host, port }: ServeOptions): ConfigInput {
  const listen = { ...(host === undefined ? {} : { host }), ...(port === undefined ? {} : { port }) };
  return Object.keys(listen).length === 0 ? {} : { listen };
}

function profileName(text: string): ProfileName {
  const known = PROFILE_NAMES.find((name) => name === text);
  if (known !== undefined) return known;
  const remedy = `Choose one of ${PROFILE_NAMES.join(", ")}.`;
  throw new CliError("usage", `there is no profile named ${JSON.stringify(text)}`, { remedy });
}

async function openRecords(options: CommonOptions): Promise<Records> {
  const config = await configOf(options);
  const records = new OpenRecords(config, { logger: silentLogger, clock: systemClock });
  await records.start();
  const audit = new RecordedAudit(config, { store: records.store.audit, clock: systemClock, logger: silentLogger });
  return {
    config,
    directory: records.store.directory,
    usage: records.store.usage,
    spendLimits: records.store.spendLimits,
    reports: records.store.reports,
    sessionPauses: records.store.sessionPauses,
    audit: await audit.open(),
    hasher: new KeyHasher(await keyPepper(config)),
    serverRunning: await isServing(config.data_dir),
    close: async () => {
      await audit.close();
      await records.stop();
    },
  };
}

async function configOf(options: CommonOptions): Promise<Config> {
  const loaded = await loadConfig(loadOptions(options));
  if (!loaded.ok) throw configInvalid(loaded.diagnostics);
  return loaded.config;
}
