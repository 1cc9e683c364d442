import { canonicalModel } from "../../message/models.ts";
import type { EffectivePolicy } from "./managed-policies.ts";
import { united } from "./merge-settings.ts";
import { type SettingsDocument, valueAt } from "./settings-document.ts";

/** A model that the caller may use. */
export interface DesktopModel {
  readonly id: string;
  /** The configured label; null where the model has none of its own. */
  readonly label: string | null;
}

/** What the answer depends on besides the policy. */
export interface DesktopContext {
  /** Where clients reach Weir. */
  readonly origin: string;
  readonly models: readonly DesktopModel[];
  /** Whether telemetry goes anywhere. */
  readonly relaysTelemetry: boolean;
  readonly person: { readonly email: string | null; readonly id: string; readonly groups: readonly string[] };
  /** When the caller's credential ends; seconds since the epoch. */
  readonly expiresAtSeconds: number;
}

/** Models without a context of a million tokens; nothing is claimed of the rest. */
const SHORT_CONTEXT: ReadonlySet<string> = new Set(["claude-opus-4-5", "claude-sonnet-4-5", "claude-haiku-4-5"]);

/** Claude Desktop's configuration for one caller, as it asks for it at `/user/bootstrap`; null where the policy has none. */
export function desktopSettings(policy: EffectivePolicy, context: DesktopContext): SettingsDocument | null {
  const { desktop, settings } = policy;
  if (desktop === null) return null;
  const disabled = united([...bareTools(settings), ...listAt(desktop, ["disabledBuiltinTools"])]);
  const hosts = desktop["coworkEgressAllowedHosts"] ?? valueAt(settings, ["sandbox", "network", "allowedDomains"]);
  return {
    inferenceProvider: "gateway",
    inferenceGatewayBaseUrl: context.origin,
    inferenceCredentialKind: "interactive",
    ...(context.relaysTelemetry ? telemetrySettings(context) : {}),
    inferenceModels: context.models.map(modelEntry),
    ...desktop,
    ...(disabled.length === 0 ? {} : { disabledBuiltinTools: disabled }),
    ...(Array.isArray(hosts) && hosts.length > 0 ? { coworkEgressAllowedHosts: hosts } : {}),
    expiresAt: context.expiresAtSeconds,
  };
}

function telemetrySettings({ origin, person }: DesktopContext): SettingsDocument {
  // The attribute is a list with commas between: a group with one in its name would read as two.
  const groups = person.groups.filter((group) => !/[,\s]/.test(group));
  return {
    otlpEndpoint: origin,
    otlpProtocol: "http/protobuf",
    otlpResourceAttributes: {
      ...(person.email === null ? {} : { "enduser.id": person.email, "user.email": person.email }),
      ...(groups.length === 0 ? {} : { "user.groups": groups.join(",") }),
      "enduser.sub": person.id,
    },
  };
}

function modelEntry({ id, label }: DesktopModel): SettingsDocument {
  const canonical = canonicalModel(id);
  const isLong = canonical !== null && !SHORT_CONTEXT.has(canonical);
  return { name: id, ...(label === null ? {} : { labelOverride: label }), ...(isLong ? { supports1m: true } : {}) };
}

/** Tools that are denied whole; Claude Desktop has nothing for rules about their use, nor for tools of MCP servers. */
function bareTools(settings: SettingsDocument): string[] {
  return listAt(settings, ["permissions", "deny"]).filter(
    (rule): rule is string => typeof rule === "string" && !rule.includes("(") && !rule.startsWith("mcp__"),
  );
}

function listAt(document: SettingsDocument, path: readonly string[]): readonly unknown[] {
  const list = valueAt(document, path);
  return Array.isArray(list) ? list : [];
}
