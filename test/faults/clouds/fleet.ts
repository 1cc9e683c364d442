import { CLOUDS, cloudKind, weirConfig, type CloudKind, type RunningCloud } from "../../harness/clouds/clouds.ts";
import { FaultProxy } from "../../harness/clouds/fault-proxy.ts";
import { WeirProcess } from "../../harness/weir-process.ts";
import { modelIdAt } from "./model-ids.ts";

/** Longer than any machine is slow: an upstream that is well must not be given up. */
export const PATIENT_MS = 120_000;

/** A busy machine must not look like an overloaded Weir where overload is not what is tested. */
const QUIET = { log: { level: "warn", format: "json" }, overload: { enabled: false } };

/** One upstream of a Weir under test: a stand-in of that kind, reached through a fault proxy or not. */
export interface Member {
  readonly name: string;
  readonly kind: string;
  readonly proxy: FaultProxy | null;
  /** Another server instead of the stand-in. */
  readonly address?: string;
  /** Further members of its entry in weir.yaml. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** A model of weir.yaml with the members that serve it, by name. */
interface FleetModel {
  readonly id: string;
  readonly members: readonly string[];
}

export interface FleetWeirOptions {
  readonly members: readonly Member[];
  readonly models?: readonly FleetModel[];
  /** Replaces or adds top-level sections of weir.yaml. */
  readonly config?: Readonly<Record<string, unknown>>;
}

/** One stand-in of each kind that a test needs. */
export class Fleet {
  readonly clouds: ReadonlyMap<string, RunningCloud>;
  readonly #proxies = new Map<string, FaultProxy>();

  private constructor(clouds: ReadonlyMap<string, RunningCloud>) {
    this.clouds = clouds;
  }

  static async start(kinds: readonly CloudKind[] = CLOUDS): Promise<Fleet> {
    const running = await Promise.all(kinds.map((kind) => kind.start()));
    return new Fleet(new Map(running.map((cloud) => [cloud.kind, cloud])));
  }

  cloud(kind: string): RunningCloud {
    const running = this.clouds.get(kind);
    if (running === undefined) throw new Error(`${kind} does not run`);
    return running;
  }

  /** A new fault proxy before the stand-in of a kind, known by a name; stopped with the fleet. */
  async proxyTo(kind: string, name: string): Promise<FaultProxy> {
    const proxy = new FaultProxy(this.cloud(kind).server.url, name);
    await proxy.start();
    this.#proxies.set(name, proxy);
    return proxy;
  }

  proxy(name: string): FaultProxy {
    const proxy = this.#proxies.get(name);
    if (proxy === undefined) throw new Error(`there is no proxy ${name}`);
    return proxy;
  }

  /** A Weir with these upstreams, in this order. Its clients' key is forbidden at every stand-in. */
  async weir({ members, models = [], config = {} }: FleetWeirOptions): Promise<WeirProcess> {
    const parts = members.map((member) => {
      const running = this.cloud(member.kind);
      const baseUrl = member.address ?? member.proxy?.url;
      const options = baseUrl === undefined ? { name: member.name } : { name: member.name, baseUrl };
      const part = cloudKind(member.kind).configYaml(running, options);
      const timeouts = { ttfb_ms: PATIENT_MS, idle_ms: PATIENT_MS };
      return { ...part, upstream: { timeouts, ...part.upstream, ...member.more } };
    });
    const kinds = new Map(members.map(({ name, kind }) => [name, kind]));
    const { config: upstreams, env } = weirConfig(parts);
    const mapped = models.map(({ id, members: names }) => ({
      id,
      upstream_model: Object.fromEntries(names.map((name) => [name, this.#modelId(kinds.get(name) ?? "")])),
    }));
    const sections = models.length > 0 ? { ...upstreams, models: mapped } : upstreams;
    const weir = await WeirProcess.start({ config: { ...QUIET, ...sections, ...config }, env });
    for (const { server } of this.clouds.values()) server.forbid(weir.key);
    return weir;
  }

  /** What any request broke of any cloud's protocol; must be empty. */
  get problems(): string[] {
    return [...this.clouds.values()].flatMap(({ server, tokens }) => [...server.problems, ...(tokens?.problems ?? [])]);
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#proxies.values()].map((proxy) => proxy.stop()));
    await Promise.all([...this.clouds.values()].map((cloud) => cloud.stop()));
  }

  #modelId(kind: string): string {
    return modelIdAt(cloudKind(kind), this.cloud(kind));
  }
}
