import { isDeepStrictEqual } from "node:util";

import type { Component } from "../core/component.ts";
import type { Config, UpstreamConfig } from "../config/schema.ts";
import { credentialOf } from "../config/upstream-credential.ts";
import type { Probe } from "../upstream/probe/probe-request.ts";
import { SandboxUpstream } from "../upstream/sandbox/sandbox-upstream.ts";
import { Upstream, type UpstreamTls } from "../upstream/upstream.ts";
import { CredentialPool, type CredentialSurroundings, type HeldCredential } from "./upstreams/credential-pool.ts";
import { probeOf } from "./upstreams/probe-of.ts";
import { sandboxOptions } from "./upstreams/sandbox-options.ts";
import { upstreamSettings } from "./upstreams/upstream-settings.ts";
import { tlsOf, tokenNetworkOf } from "./upstreams/way-out.ts";

/** One configured upstream while it is in use. */
interface Member {
  readonly config: UpstreamConfig;
  /** What else its connections were made from. */
  readonly surroundings: unknown;
  readonly upstream: Upstream;
  readonly credential: HeldCredential;
  readonly sandbox: SandboxUpstream | null;
}

/** An upstream with the call that shows it to be well. */
export interface ProbedUpstream {
  readonly upstream: Upstream;
  readonly probe: Probe;
}

/** What a configuration needs, made but not yet in use. */
export interface PreparedUpstreams {
  /** In the order of the configuration. */
  readonly upstreams: readonly Upstream[];
  use(): void;
  discard(): Promise<void>;
}

/**
 * The running upstreams. A reload keeps those that did not change, with their connections, and lets the others finish. A
 * credential is kept also where something else of its upstream changed.
 */
export class UpstreamSet implements Component {
  readonly name = "upstreams";
  readonly #surroundings: CredentialSurroundings;
  readonly #credentials: CredentialPool;
  #members: readonly Member[] = [];
  #probed: readonly ProbedUpstream[] = [];
  /** Those that have left and still finish what is in flight, each with its end. */
  readonly #retiring = new Map<Member, Promise<void>>();

  constructor(surroundings: CredentialSurroundings) {
    this.#surroundings = surroundings;
    this.#credentials = new CredentialPool(surroundings);
  }

  /** The upstreams in the order of the configuration that was used last. */
  get upstreams(): readonly Upstream[] {
    return this.#members.map((member) => member.upstream);
  }

  /** Those of them that are to be probed. */
  get probed(): readonly ProbedUpstream[] {
    return this.#probed;
  }

  async start(): Promise<void> {}

  async stop(): Promise<void> {
    await Promise.all([...this.#members, ...this.#retiring.keys()].map((member) => endNow(member)));
    this.#members = [];
    this.#probed = [];
    await Promise.all(this.#retiring.values());
  }

  /**
   * Makes what a configuration needs, credentials included, and returns the upstreams with a function that puts them into use.
   * Until that is called nothing has changed, and `discard` undoes the preparation. Takes three seconds where a credential is
   * slow to come; it then comes later.
   */
  async prepare(config: Config): Promise<PreparedUpstreams> {
    const outcomes = await Promise.allSettled(config.upstreams.map((upstream) => this.#member(upstream, config)));
    const next = outcomes.flatMap((outcome) => (outcome.status === "fulfilled" ? [outcome.value] : []));
    const discard = async (): Promise<void> => {
      const made = next.filter((member) => !this.#members.includes(member));
      await Promise.all(made.map((member) => endNow(member)));
    };
    const failed = outcomes.find((outcome) => outcome.status === "rejected");
    if (failed !== undefined) {
      await discard();
      throw failed.reason;
    }
    const use = (): void => {
      const leaving = this.#members.filter((member) => !next.includes(member));
      this.#members = next;
      this.#probed = next.flatMap((member) => probedOf(member, config));
      for (const member of leaving) this.#retire(member);
    };
    return { upstreams: next.map((member) => member.upstream), use, discard };
  }

  /** The member that serves a configured upstream: the present one if nothing of it has changed, else a new one. */
  async #member(upstream: UpstreamConfig, config: Config): Promise<Member> {
    const tls = upstream.provider === "sandbox" ? null : await tlsOf(upstream, config);
    const surroundings = surroundingsOf(upstream, config, tls);
    const known = this.#members.find(
      (member) => isDeepStrictEqual(member.config, upstream) && isDeepStrictEqual(member.surroundings, surroundings),
    );
    return known ?? (await this.#make(upstream, config, { tls, surroundings }));
  }

  async #make(
    config: UpstreamConfig,
    whole: Config,
    { tls, surroundings }: { tls: UpstreamTls | null; surroundings: unknown },
  ): Promise<Member> {
    const order = { upstream: config.name, config: credentialOf(config), network: await tokenNetworkOf(whole) };
    const credential = await this.#credentials.hold(order);
    let sandbox: SandboxUpstream | null = null;
    try {
      if (config.provider === "sandbox") {
        sandbox = new SandboxUpstream(sandboxOptions(config, whole));
        await sandbox.start();
      }
      const sandboxUrl = sandbox?.url ?? null;
      const upstream = new Upstream(
        upstreamSettings(config, whole, { credential: credential.source, tls, sandboxUrl }),
      );
      return { config, surroundings, upstream, credential, sandbox };
    } catch (error) {
      await sandbox?.stop();
      await credential.release();
      throw error;
    }
  }

  #retire(member: Member): void {
    const ending = endGently(member)
      .catch((error: unknown) =>
        this.#surroundings.logger.warn({ err: error, upstream: member.upstream.name }, "upstream did not end"),
      )
      .finally(() => this.#retiring.delete(member));
    this.#retiring.set(member, ending);
  }
}

/** The rest of the configuration that connections depend on. */
function surroundingsOf(upstream: UpstreamConfig, config: Config, tls: UpstreamTls | null): unknown {
  const models = upstream.provider === "sandbox" ? config.models : null;
  return [config.network, config.timeouts, tls, models];
}

function probedOf({ config: upstreamConfig, upstream }: Member, config: Config): ProbedUpstream[] {
  if (!upstreamConfig.probes) return [];
  const probe = probeOf(upstreamConfig, upstream.dialect, config);
  return probe === null ? [] : [{ upstream, probe }];
}

async function endGently(member: Member): Promise<void> {
  try {
    await member.upstream.connections.close();
  } finally {
    await giveBack(member);
  }
}

async function endNow(member: Member): Promise<void> {
  try {
    await member.upstream.connections.destroy();
  } finally {
    await giveBack(member);
  }
}

async function giveBack({ credential, sandbox }: Member): Promise<void> {
  await credential.release();
  await sandbox?.stop();
}
