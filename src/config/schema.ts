import { z } from "zod";

import { filePath } from "./fields/file-path.ts";
import { accessControl } from "./sections/access-control.ts";
import { admin } from "./sections/admin.ts";
import { adminListen } from "./sections/admin-listen.ts";
import { admission } from "./sections/admission.ts";
import { audit } from "./sections/audit.ts";
import { budgeting, budgets } from "./sections/budgets.ts";
import { cors } from "./sections/cors.ts";
import { enforcement } from "./sections/enforcement.ts";
import { health } from "./sections/health.ts";
import { journal } from "./sections/journal.ts";
import { limits } from "./sections/limits.ts";
import { listen } from "./sections/listen.ts";
import { log } from "./sections/log.ts";
import { managed } from "./sections/managed.ts";
import { autoIncludeBuiltinModels, models } from "./sections/models.ts";
import { network } from "./sections/network.ts";
import { oidc, oidcProviders } from "./sections/oidc.ts";
import { overload } from "./sections/overload.ts";
import { pricing } from "./sections/pricing.ts";
import { loginNotice, rateLimits } from "./sections/rate-limits.ts";
import { retries } from "./sections/retries.ts";
import { routing } from "./sections/routing.ts";
import { runaway } from "./sections/runaway.ts";
import { security } from "./sections/security.ts";
import { session } from "./sections/session.ts";
import { store } from "./sections/store.ts";
import { tags } from "./sections/tags.ts";
import { telemetry } from "./sections/telemetry.ts";
import { timeouts } from "./sections/timeouts.ts";
import { upstreams } from "./sections/upstreams.ts";

export const PROFILE_NAMES = ["dev", "staging", "pre-prod", "prod"] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/**
 * The whole of `weir.yaml`: the one truth about names, types, defaults and meanings. JSON Schema, reference page,
 * redaction and hints are derived from it. Nothing here changes a value's form, so the keys and units of the YAML
 * are those of the `Config` that the code sees.
 */
export const configSchema = z.strictObject({
  profile: z
    .enum(PROFILE_NAMES)
    .default("dev")
    .describe("Set of defaults to start from, and how strict Weir is about weak settings."),
  data_dir: filePath()
    .default(".weir")
    .describe(
      "Directory for the journal, generated secrets and the embedded PostgreSQL. Relative to the file that says it, else to the working directory.",
    ),
  replicas: z
    .int()
    .min(1)
    .max(1000)
    .default(1)
    .describe("How many Weir processes serve the same organisation with this configuration."),
  listen,
  admin_listen: adminListen,
  store,
  upstreams,
  network,
  models,
  auto_include_builtin_models: autoIncludeBuiltinModels,
  routing,
  health,
  retries,
  overload,
  pricing,
  security,
  oidc,
  oidc_providers: oidcProviders,
  session,
  rate_limits: rateLimits,
  login_notice: loginNotice,
  managed,
  telemetry,
  access_control: accessControl,
  limits,
  timeouts,
  admission,
  admin,
  enforcement,
  budgets,
  budgeting,
  runaway,
  tags,
  audit,
  journal,
  cors,
  log,
});

type Parsed = z.output<typeof configSchema>;

/**
 * A validated configuration with every default filled in and paths made absolute. Keys are the YAML's (snake_case), on
 * purpose: one name for one thing, in the file, in diagnostics and in the code. Deeply frozen.
 */
export type Config = DeepReadonly<Omit<Parsed, "upstreams"> & { upstreams: NonNullable<Parsed["upstreams"]> }>;

/** One entry of `config.upstreams`. */
export type UpstreamConfig = Config["upstreams"][number];

/** What may be written: every setting optional. Used by profiles and by overrides from the command line. */
export type ConfigInput = DeepPartial<z.input<typeof configSchema>>;

type DeepReadonly<T> = T extends readonly (infer Item)[]
  ? readonly DeepReadonly<Item>[]
  : T extends object
    ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> }
    : T;

type DeepPartial<T> = T extends readonly unknown[]
  ? T
  : T extends object
    ? { [Key in keyof T]?: DeepPartial<T[Key]> }
    : T;
