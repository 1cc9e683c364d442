import type { Config, UpstreamConfig } from "../../config/schema.ts";
import { BUILTIN_MODELS } from "../../message/models.ts";
import type { FaultRule } from "../../upstream/sandbox/fault.ts";
import type { SandboxUpstream } from "../../upstream/sandbox/sandbox-upstream.ts";

type SandboxConfig = Extract<UpstreamConfig, { provider: "sandbox" }>;

/** What the built-in upstream is told of its configuration. */
export function sandboxOptions(
  sandbox: SandboxConfig,
  config: Config,
): ConstructorParameters<typeof SandboxUpstream>[0] {
  const configured = config.models.map(({ id, label }) => ({ id, label: label ?? id }));
  return {
    models: [...configured, ...BUILTIN_MODELS],
    seed: String(sandbox.seed),
    latencyMs: sandbox.latency_ms,
    tokensPerSecond: sandbox.tokens_per_second === "unlimited" ? null : sandbox.tokens_per_second,
    faults: faultRules(sandbox.faults),
  };
}

/** Each request has at most one fate, and shares are of all requests: a later rule draws among what earlier ones left. */
function faultRules(faults: SandboxConfig["faults"]): FaultRule[] {
  const { after_events: afterEvents } = faults;
  const shares: readonly (readonly [number, FaultRule["fault"]])[] = [
    [faults.rate_limited, { kind: "status", status: 429, retryAfterSeconds: 1 }],
    [faults.overloaded, { kind: "status", status: 529 }],
    [faults.server_error, { kind: "status", status: 500 }],
    [faults.slow_first_byte, { kind: "slow_first_byte", delayMs: faults.slow_first_byte_ms }],
    [faults.reset, { kind: "reset" }],
    [faults.cut, { kind: "cut", afterEvents, how: "destroy" }],
    [faults.silence, { kind: "silence", afterEvents }],
  ];
  const rules: FaultRule[] = [];
  let left = 1;
  for (const [share, fault] of shares) {
    if (share <= 0) continue;
    rules.push({ fault, probability: Math.min(1, share / left) });
    left -= share;
  }
  return rules;
}
