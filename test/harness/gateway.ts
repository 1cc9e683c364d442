import { AddressList } from "../../src/core/address-list.ts";
import { systemClock, type Clock } from "../../src/core/clock.ts";
import { IdGenerator } from "../../src/core/id.ts";
import { silentLogger } from "../../src/core/logger.ts";
import { GatewayServer } from "../../src/gateway/gateway-server.ts";
import { StreamKeeper } from "../../src/gateway/relay/stream-keeper.ts";
import type { GatewayServices } from "../../src/gateway/services.ts";
import type { Snapshot } from "../../src/gateway/snapshot.ts";
import { KeyRing } from "../../src/identity/key-ring.ts";
import { hintOfSecret, KeyHasher, newKeySecret } from "../../src/identity/key-secret.ts";
import { SessionRing } from "../../src/identity/tokens/session-ring.ts";
import { BudgetBook } from "../../src/ledger/budgets/budget-book.ts";
import { CostForecaster } from "../../src/ledger/budgets/cost-forecaster.ts";
import type { Journal } from "../../src/ledger/journal/journal.ts";
import { PriceBook } from "../../src/ledger/prices/price-book.ts";
import type { Entry, OpenRecord } from "../../src/message/entry.ts";
import { TagBook } from "../../src/policy/budget/tag-book.ts";
import { ManagedPolicies } from "../../src/policy/managed/managed-policies.ts";
import { LimitTable, type LimitSettings } from "../../src/policy/rate/limit-table.ts";
import { RatePolicy } from "../../src/policy/rate/rate-policy.ts";
import { OverloadGate } from "../../src/routing/overload/overload-gate.ts";
import { Router } from "../../src/routing/router.ts";
import {
  DEFAULT_OVERLOAD,
  DEFAULT_ROUTING,
  type OverloadSettings,
  type RoutingSettings,
} from "../../src/routing/settings.ts";
import { RouteTable, type ConfiguredModel } from "../../src/routing/route-table.ts";
import type { BudgetRecord, DirectorySnapshot, KeyRecord } from "../../src/store/ports/directory.ts";
import { AccessLog } from "../../src/telemetry/access-log.ts";
import { GatewayMetrics } from "../../src/telemetry/metrics/gateway-metrics.ts";
import { providerRow } from "../../src/upstream/catalogue/providers.ts";
import { StaticCredential } from "../../src/upstream/credentials/static-credential.ts";
import { CatalogueDialect } from "../../src/upstream/dialect.ts";
import { Upstream, type UpstreamSettings } from "../../src/upstream/upstream.ts";

/** A journal in memory that remembers what it was told and is durable on the next turn. */
export class MemoryJournal implements Journal {
  state: Journal["state"] = "open";
  readonly opens: OpenRecord[] = [];
  readonly entries: Entry[] = [];
  /** When set, settles fail with it. */
  failWith: Error | null = null;

  open(record: OpenRecord): boolean {
    if (this.state !== "open") return false;
    this.opens.push(record);
    return true;
  }

  settle(entry: Entry, durable: (error: Error | null) => void): void {
    if (this.failWith === null) this.entries.push(entry);
    setImmediate(() => durable(this.failWith));
  }

  append(entry: Entry, durable: (error: Error | null) => void): void {
    this.settle(entry, durable);
  }

  async flush(): Promise<void> {}
}

export const UNLIMITED: LimitSettings = {
  defaults: {
    key: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    user: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    team: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
    organization: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
  },
  named: { key: {}, user: {}, team: {}, organization: {} },
};

/** Routing that repeats nothing and remembers no failure: tests share gateways. */
export const UNCOUNTED_ROUTING: RoutingSettings = {
  ...DEFAULT_ROUTING,
  retry: { ...DEFAULT_ROUTING.retry, maxSameTargetRetries: 0 },
  affinity: { ...DEFAULT_ROUTING.affinity, enabled: false },
  health: {
    ...DEFAULT_ROUTING.health,
    minVolume: 1e9,
    consecutive: { transient: 1e9, connect: 1e9, timeout: 1e9, hard: 1e9, probe: 1e9 },
    cooldown: { maxMs: 0, unnamedMs: 0 },
  },
};

export interface TestGatewayOptions {
  readonly upstreams: readonly (Partial<UpstreamSettings> & { baseUrl: string })[];
  readonly models?: readonly ConfiguredModel[];
  readonly limits?: LimitSettings;
  readonly budgets?: readonly BudgetRecord[];
  readonly reserve?: "expected" | "worst_case";
  readonly maxOvershootMicroUsd?: number;
  readonly key?: Partial<KeyRecord>;
  readonly snapshot?: Partial<Snapshot>;
  readonly clock?: Clock;
  readonly routing?: RoutingSettings;
  readonly overload?: OverloadSettings;
  /** Who owns which batch and file; without it no test may touch them. */
  readonly objects?: GatewayServices["objects"];
}

export interface TestGateway {
  readonly url: string;
  readonly port: number;
  /** The secret of the one key. */
  readonly key: string;
  readonly journal: MemoryJournal;
  readonly services: GatewayServices;
  readonly server: GatewayServer;
  readonly accessLines: string[];
  setDraining(draining: boolean): void;
  setDirectory(change: Partial<DirectorySnapshot>): void;
  stop(): Promise<void>;
}

const LOOPBACK = new AddressList(["127.0.0.0/8", "::1"]);
/** The pepper of the test gateway's keys, for making further ones. */
export const PEPPER = "test pepper, at least thirty-two bytes long";

/** The whole data plane on a free port, with everything around it in memory: for tests of the gateway itself. */
export async function startTestGateway(options: TestGatewayOptions): Promise<TestGateway> {
  const clock = options.clock ?? systemClock;
  const hasher = new KeyHasher(PEPPER);
  const secret = newKeySecret("dev");
  const directory: DirectorySnapshot = {
    revision: 1,
    organizations: [{ id: "org_1", name: "Test", status: "active", timeZone: "UTC" }],
    teams: [{ id: "team_1", organizationId: "org_1", name: "Platform", status: "active" }],
    users: [
      {
        id: "usr_1",
        organizationId: "org_1",
        teamId: "team_1",
        name: "Ada",
        email: "ada@example.com",
        status: "active",
      },
    ],
    keys: [
      {
        id: "key_1",
        organizationId: "org_1",
        teamId: "team_1",
        userId: "usr_1",
        name: "test",
        keyClass: "dev",
        hmac: hasher.hmac(secret),
        hint: hintOfSecret(secret),
        scopes: { models: [], endpoints: [], addresses: [] },
        limits: { requestsPerMinute: null, tokensPerMinute: null, maxConcurrent: null },
        createdAtMs: 0,
        expiresAtMs: null,
        revokedAtMs: null,
        replacesKeyId: null,
        ...options.key,
      },
    ],
    budgets: [],
  };
  const keys = new KeyRing(hasher);
  keys.replace(directory);
  const upstreams = options.upstreams.map((upstream, index) => new Upstream(upstreamSettings(upstream, index)));
  const prices = new PriceBook({ overrides: [], multiplier: 1, date: "2026-11-20" });
  const snapshot: Snapshot = {
    revision: 1,
    routes: new RouteTable({ upstreams, models: options.models ?? [], includeBuiltins: true, prices }),
    prices,
    limits: new LimitTable(options.limits ?? UNLIMITED),
    queue: { size: 100, timeoutMs: 60_000 },
    access: { allow: new AddressList([]), deny: new AddressList([]), trustedProxies: new AddressList([]) },
    blockedMessage: null,
    requireKey: true,
    auditExchanges: false,
    maxRequestBytes: 32 * 1024 * 1024,
    maxDecompressedBytes: 32 * 1024 * 1024,
    maxUrlLength: 8_192,
    maxJsonDepth: 128,
    pingIntervalMs: 15_000,
    managed: new ManagedPolicies([]),
    ...options.snapshot,
  };
  const budgets = new BudgetBook({
    clock,
    reserve: options.reserve ?? "expected",
    maxOvershoot: options.maxOvershootMicroUsd ?? 10_000_000,
  });
  budgets.setBudgets(options.budgets ?? []);
  const journal = new MemoryJournal();
  const accessLines: string[] = [];
  let draining = false;
  const services: GatewayServices = {
    clock,
    windowClock: clock,
    ids: new IdGenerator(clock),
    logger: silentLogger,
    accessLog: new AccessLog(clock, (text) => accessLines.push(text)),
    keys,
    sessions: new SessionRing(),
    rate: new RatePolicy(),
    budgets,
    forecaster: new CostForecaster(0.95),
    router: new Router({
      settings: options.routing ?? UNCOUNTED_ROUTING,
      upstreams: upstreams.map(({ name }) => name),
      random: Math.random,
      seed: 1,
    }),
    overload: new OverloadGate(options.overload ?? DEFAULT_OVERLOAD, Math.random),
    journal,
    metrics: new GatewayMetrics(),
    runaway: { observe: () => {}, pauseOf: () => null },
    tags: new TagBook({ allowed: [], header: "x-weir-tag", unknown: "refuse" }),
    streams: new StreamKeeper(clock),
    objects: options.objects ?? unusedObjects(),
    control: {
      serve: async () => {
        throw new Error("this gateway has no control API");
      },
    },
    health: {
      get draining() {
        return draining;
      },
      failures: () => [],
      describe: () => ({ version: "test" }),
    },
    snapshot: () => snapshot,
  };
  const server = new GatewayServer(
    {
      host: "127.0.0.1",
      port: 0,
      maxHeaderBytes: 32_768,
      maxConnections: 10_000,
      headersTimeoutMs: 10_000,
      requestTimeoutMs: 60_000,
      drainMs: 5_000,
      tls: null,
    },
    services,
  );
  await services.streams.start();
  await server.start();
  const { port } = server.address;
  let revision = 1;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    key: secret,
    journal,
    services,
    server,
    accessLines,
    setDraining: (value) => (draining = value),
    setDirectory: (change) => keys.replace({ ...directory, ...change, revision: ++revision }),
    stop: async () => {
      await server.stop();
      await services.streams.stop();
      await Promise.all(upstreams.map((upstream) => upstream.connections.destroy()));
    },
  };
}

/** What the Anthropic API speaks. */
function messagesDialect(): CatalogueDialect {
  const row = providerRow("anthropic");
  return new CatalogueDialect({ row, parameters: {}, wires: null, custom: null, modelId: (asked) => asked });
}

function upstreamSettings(given: Partial<UpstreamSettings> & { baseUrl: string }, index: number): UpstreamSettings {
  return {
    name: index === 0 ? "anthropic" : `anthropic-${index + 1}`,
    provider: "anthropic",
    dialect: messagesDialect(),
    placement: { cloud: null, region: null, weight: 1, promptCache: "explicit" },
    credential: new StaticCredential("anthropic", ["x-api-key", "sk-upstream-credential"]),
    extraHeaders: {},
    proxyUrl: null,
    tls: { ca: null, cert: null, key: null, serverName: null },
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 30_000,
    idleTimeoutMs: 30_000,
    allowPrivate: LOOPBACK,
    forwardUserIdentity: false,
    ...given,
  };
}

/** A store that no test of the message path may touch. */
function unusedObjects(): GatewayServices["objects"] {
  const refuse = (): Promise<never> => Promise.reject(new Error("this test has no object store"));
  return {
    add: refuse,
    get: refuse,
    list: refuse,
    unsettledBatches: refuse,
    markSettled: refuse,
    remove: refuse,
  };
}
