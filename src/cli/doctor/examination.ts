import type { LoadResult } from "../../config/load.ts";
import type { Config } from "../../config/schema.ts";
import type { CliContext, CommonOptions, DatabaseInspection } from "../cli-context.ts";
import { localUrlOf } from "../base-url.ts";
import { probeWeir, type WeirProbe } from "../probe-weir.ts";
import { type Finding, skip } from "./finding.ts";

/** A database as it was found, with Weir's own clock beside the database's. */
export interface DatabaseReading {
  readonly inspection: DatabaseInspection;
  /** Weir's wall clock in the middle of the question. */
  readonly askedAtMs: number;
}

/** What all checks of one run share, so that each thing is looked at once. */
export class Examination {
  readonly context: CliContext;
  readonly loaded: LoadResult;
  /** Whether to send credentials to upstreams. */
  readonly sendsCredentials: boolean;
  #database: Promise<DatabaseReading> | null = null;
  #weir: Promise<WeirProbe> | null = null;

  constructor(context: CliContext, loaded: LoadResult, options: { readonly sendsCredentials: boolean }) {
    this.context = context;
    this.loaded = loaded;
    this.sendsCredentials = options.sendsCredentials;
  }

  static async begin(context: CliContext, options: CommonOptions & { credentials: boolean }): Promise<Examination> {
    return new Examination(context, await context.loadConfig(options), { sendsCredentials: options.credentials });
  }

  /** Makes a check that needs the configuration, or says why it cannot be made. */
  async withConfig(check: (config: Config) => Finding | Promise<Finding>): Promise<Finding> {
    return this.loaded.ok ? await check(this.loaded.config) : skip("needs a valid configuration");
  }

  database(config: Config): Promise<DatabaseReading> {
    this.#database ??= this.#askDatabase(config);
    return this.#database;
  }

  /** What answers where this configuration listens. */
  weir(config: Config): Promise<WeirProbe> {
    this.#weir ??= probeWeir(localUrlOf(config));
    return this.#weir;
  }

  async #askDatabase(config: Config): Promise<DatabaseReading> {
    const { clock, inspect } = this.context;
    const beganMs = clock.nowMs();
    const inspection = await inspect.database(config);
    return { inspection, askedAtMs: (beganMs + clock.nowMs()) / 2 };
  }
}

/** One thing that is looked at. */
export interface Check {
  /** Stable name, for `--json`. */
  readonly id: string;
  readonly title: string;
  run(examination: Examination): Promise<Finding>;
}
