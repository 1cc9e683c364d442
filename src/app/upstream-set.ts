import { isDeepStrictEqual } from "node:util";

import type { Component } from "../core/component.ts";
import type { Logger } from "../core/logger.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import { BUILTIN_MODELS } from "../message/models.ts";
import type { FaultRule } from "../upstream/sandbox/fault.ts";
import { SandboxUpstream } from "../upstream/sandbox/sandbox-upstream.ts";
import { Upstream } from "../upstream/upstream.ts";
import { upstreamSettings } from "./upstream-settings.ts";

type SandboxConfig = Extract<UpstreamConfig, { provider: "sandbox" }>;

/** One configured upstream while it is in use. */
interface Member {
  readonly config: UpstreamConfig;
  /** What else its connections were made from. */
  readonly surroundings: unknown;
  readonly upstream: Upstream;
  readonly sandbox: SandboxUpstream | null;
}

/** The running upstreams. A reload keeps those that did not change, with their connections, and lets the others finish. */
export class UpstreamSet implements Component {
  readonly name = "upstreams";
  readonly #logger: Logger;
  #members: readonly Member[] = [];
  /** Those that have left and still finish what is in flight, each with its end. */
  readonly #retiring = new Map<Member, Promise<void>>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** The upstreams in the order of the configuration that was used last. */
  get upstreams(): readonly Upstream[] {
    return this.#members.map((member) => member.upstream);
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await Promise.all([...this.#members, ...this.#retiring.keys()].map((member) => endNow(member)));
    this.#members = [];
    await Promise.all(this.#retiring.values());
  }

  /**
   * Makes what a configuration needs and returns the upstreams with a function that puts them into use. Until that is
   * called nothing has changed, and `discard` undoes the preparation.
   */
  async prepare(config: Config): Promise<{ upstreams: readonly Upstream[]; use(): void; discard(): Promise<void> }> {
    const next: Member[] = [];
    const made: Member[] = [];
    const discard = async (): Promise<void> => {
      await Promise.all(made.map((member) => endNow(member)));
    };
    try {
      for (const upstreamConfig of config.upstreams) {
        const known = this.#members.find((member) => isSame(member, upstreamConfig, config));
        const member = known ?? (await this.#make(upstreamConfig, config));
        if (known === undefined) made.push(member);
        next.push(member);
      }
    } catch (error) {
      await discard();
      throw error;
    }
    const use = (): void => {
      const leaving = this.#members.filter((member) => !next.includes(member));
      this.#members = next;
      for (const member of leaving) this.#retire(member);
    };
    return { upstreams: next.map((member) => member.upstream), use, discard };
  }

  async #make(upstreamConfig: UpstreamConfig, config: Config): Promise<Member> {
    let sandbox: SandboxUpstream | null = null;
    if (upstreamConfig.provider === "sandbox") {
      sandbox = new SandboxUpstream(sandboxOptions(upstreamConfig, config));
      await sandbox.start();
    }
    const settings = await upstreamSettings(upstreamConfig, config, sandbox?.url ?? null);
    return { config: upstreamConfig, surroundings: surroundings(config), upstream: new Upstream(settings), sandbox };
  }

  #retire(member: Member): void {
    const ending = endGently(member)
      .catch((error: unknown) =>
        this.#logger.warn({ err: error, upstream: member.upstream.name }, "upstream did not end"),
      )
      .finally(() => this.#retiring.delete(member));
    this.#retiring.set(member, ending);
  }
}

function isSame(member: Member, upstreamConfig: UpstreamConfig, config: Config): boolean {
  return (
    isDeepStrictEqual(member.config, upstreamConfig) && isDeepStrictEqual(member.surroundings, surroundings(config))
  );
}

/** The rest of the configuration that connections depend on. */
function surroundings(config: Config): unknown {
  return [config.network, config.timeouts, config.models.map((model) => model.id)];
}

async function endGently({ upstream, sandbox }: Member): Promise<void> {
  await upstream.connections.close();
  await sandbox?.stop();
}

async function endNow({ upstream, sandbox }: Member): Promise<void> {
  await upstream.connections.destroy();
  await sandbox?.stop();
}

function sandboxOptions(sandbox: SandboxConfig, config: Config): ConstructorParameters<typeof SandboxUpstream>[0] {
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
