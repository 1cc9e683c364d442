import type { Config } from "../../config/schema.ts";
import { ManagedPolicies, type TelemetryEnv } from "./managed-policies.ts";
import { telemetryEnv } from "./telemetry-env.ts";

/** The policies of a configuration, and what it adds to them so that clients send telemetry. */
export interface ConfiguredPolicies {
  readonly policies: ManagedPolicies;
  readonly telemetryEnv: TelemetryEnv;
}

/** Merges all policies of a configuration, once. */
export function configuredPolicies({ managed, telemetry, listen }: Config): ConfiguredPolicies {
  const env = telemetryEnv(listen.public_url ?? null, telemetry.forward_to);
  return { policies: new ManagedPolicies(managed.policies, env), telemetryEnv: env };
}
