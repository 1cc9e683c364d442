import type { Identity } from "../../identity/key-ring.ts";
import { mergeDesktop, mergeSettings } from "./merge-settings.ts";
import { ModelAllowlist } from "./model-allowlist.ts";
import { type CompiledMatch, compileMatch, type MatchConditions, type PolicySubject } from "./policy-match.ts";
import { settingsChecksum } from "./settings-checksum.ts";
import { isMap, type SettingsDocument } from "./settings-document.ts";

/** A policy as the configuration has it. */
export interface PolicyConfig {
  readonly match: MatchConditions;
  readonly cli?: SettingsDocument | undefined;
  /** Older name of `cli`. */
  readonly settings?: SettingsDocument | undefined;
  readonly desktop?: SettingsDocument | undefined;
}

/** What holds for the callers of one policy: computed once, when the configuration is loaded. */
export interface EffectivePolicy {
  /** Its place in `managed.policies`. */
  readonly index: number;
  /** The place of the policy for everybody that it stands on; null where there is none or it is that one. */
  readonly baseIndex: number | null;
  /** Claude Code's settings, what Weir adds for telemetry included. */
  readonly settings: SettingsDocument;
  readonly checksum: string;
  /** The models that its callers may use; null for all that Weir serves. */
  readonly models: ModelAllowlist | null;
  /** Claude Desktop's own settings; null where the policy does not serve Claude Desktop. */
  readonly desktop: SettingsDocument | null;
}

/** Environment variables that turn telemetry on in clients; none where nobody would get it. */
export type TelemetryEnv = Readonly<Record<string, string>>;

/** All policies, ready to be asked who gets what. Immutable; one for each configuration. */
export class ManagedPolicies {
  readonly all: readonly EffectivePolicy[];
  readonly #matches: readonly CompiledMatch[];
  /** By identity, which lives as long as its key or token: forgotten with it. */
  readonly #chosen = new WeakMap<Identity, EffectivePolicy | NoPolicy>();

  constructor(policies: readonly PolicyConfig[], telemetryEnv: TelemetryEnv = {}) {
    this.#matches = policies.map(({ match }) => compileMatch(match));
    const baseIndex = this.#matches.findIndex((match) => match.isForAll);
    this.all = policies.map((policy, index) =>
      effectivePolicy({ policy, index, baseIndex, base: policies[baseIndex] ?? null, telemetryEnv }),
    );
  }

  /** Whether some policy serves Claude Desktop. */
  get servesDesktop(): boolean {
    return this.all.some(({ desktop }) => desktop !== null);
  }

  /** The policy of a caller, or null: two look-ups once it has been asked for. */
  of(caller: Identity): EffectivePolicy | null {
    if (this.all.length === 0) return null;
    const known = this.#chosen.get(caller);
    if (known !== undefined) return known === NO_POLICY ? null : known;
    const { groups, user, team } = caller;
    const chosen = this.choose({ groups, email: user?.email ?? null, team });
    this.#chosen.set(caller, chosen ?? NO_POLICY);
    return chosen;
  }

  /** The first policy that matches, or null. */
  choose(subject: PolicySubject): EffectivePolicy | null {
    const index = this.#matches.findIndex((match) => match.matches(subject));
    return this.all[index] ?? null;
  }
}

type NoPolicy = typeof NO_POLICY;
const NO_POLICY = "none";

interface Parts {
  readonly policy: PolicyConfig;
  readonly index: number;
  /** -1 where there is none. */
  readonly baseIndex: number;
  readonly base: PolicyConfig | null;
  readonly telemetryEnv: TelemetryEnv;
}

function effectivePolicy({ policy, index, baseIndex, base, telemetryEnv }: Parts): EffectivePolicy {
  const below = base === null || index === baseIndex ? null : base;
  const own = clientSettings(policy);
  const merged = below === null ? own : mergeSettings(clientSettings(below), own);
  const settings = withTelemetry(merged, telemetryEnv);
  const models = settings["availableModels"];
  return {
    index,
    baseIndex: below === null ? null : baseIndex,
    settings,
    checksum: settingsChecksum(settings),
    models: Array.isArray(models) ? new ModelAllowlist(models.map(String)) : null,
    desktop: desktopOf(below?.desktop, policy.desktop),
  };
}

/** The Claude Code settings of one policy by itself. */
export function clientSettings({ cli, settings }: Pick<PolicyConfig, "cli" | "settings">): SettingsDocument {
  return cli ?? settings ?? {};
}

/** What a policy says of the environment goes before what Weir says. */
function withTelemetry(settings: SettingsDocument, env: TelemetryEnv): SettingsDocument {
  if (Object.keys(env).length === 0) return settings;
  const own = settings["env"];
  return { ...settings, env: { ...env, ...(isMap(own) ? own : {}) } };
}

function desktopOf(base: SettingsDocument | undefined, policy: SettingsDocument | undefined): SettingsDocument | null {
  if (base === undefined || policy === undefined) return policy ?? base ?? null;
  return mergeDesktop(base, policy);
}
