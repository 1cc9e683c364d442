import { randomInt } from "node:crypto";
import path from "node:path";

import type { AuditTrail } from "../core/audit-act.ts";
import type { Clock } from "../core/clock.ts";
import { IdGenerator } from "../core/id.ts";
import { parseUsd } from "../core/money.ts";
import { SteadyClock } from "../core/steady-clock.ts";
import type { LoadOptions, LoadSuccess } from "../config/load.ts";
import type { Config } from "../config/schema.ts";
import { readServerTls } from "../config/tls-files.ts";
import { ConfigWatcher, type ReloadResult } from "../config/watcher.ts";
import { BatchSettler } from "../gateway/objects/batch-settler.ts";
import { ControlApi, type ControlRoutes } from "../control/control-api.ts";
import { managedRoutes, type ManagedState } from "../control/managed/managed-routes.ts";
import { protocolRoutes } from "../control/managed/protocol-routes.ts";
import { GatewayServer } from "../gateway/gateway-server.ts";
import { OverloadWatch } from "../gateway/overload-watch.ts";
import { StreamKeeper } from "../gateway/relay/stream-keeper.ts";
import type { GatewayServices } from "../gateway/services.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { KeyRing } from "../identity/key-ring.ts";
import { KeyHasher } from "../identity/key-secret.ts";
import { SessionRing } from "../identity/tokens/session-ring.ts";
import { BudgetBook } from "../ledger/budgets/budget-book.ts";
import { CostForecaster } from "../ledger/budgets/cost-forecaster.ts";
import { AuditRecorder } from "../ledger/audit/audit-recorder.ts";
import { auditingShipments } from "../ledger/audit/exchange-trail.ts";
import { FileJournal } from "../ledger/journal/file-journal.ts";
import { Shipper } from "../ledger/shipper.ts";
import { RatePolicy } from "../policy/rate/rate-policy.ts";
import { OverloadGate } from "../routing/overload/overload-gate.ts";
import { Router } from "../routing/router.ts";
import type { DirectorySnapshot } from "../store/ports/directory.ts";
import { AccessLog } from "../telemetry/access-log.ts";
import { createLog } from "../telemetry/log.ts";
import { GatewayMetrics } from "../telemetry/metrics/gateway-metrics.ts";
import { MetricsPage } from "../telemetry/metrics/process-metrics.ts";
import { systemScheduler } from "../upstream/credentials/scheduler.ts";
import { AdminServer } from "./admin-server.ts";
import { ClientTelemetry } from "./client-telemetry.ts";
import { compileSnapshot } from "./compile-snapshot.ts";
import { ComponentStack } from "./component-stack.ts";
import { DirectoryFeed } from "./directory-feed.ts";
import { firstRun, type FirstRun } from "./first-run.ts";
import { credentialFailure } from "./credential-failure.ts";
import { ProcessHealth } from "./health.ts";
import { ProcessActs } from "./process-acts.ts";
import { startAuditKeeping } from "./audit-keeping.ts";
import { Prober } from "./prober.ts";
import { rebuildBudgets } from "./rebuild-budgets.ts";
import type { LoggedAlerts } from "./logged-alerts.ts";
import { OpenRecords } from "./records.ts";
import { routingGauges } from "./routing-gauges.ts";
import { RoutingPages } from "./routing-pages.ts";
import { RunawayKeeper } from "./runaway-keeper.ts";
import { overloadSettings, routingSettings } from "./routing-settings.ts";
import { keyPepper } from "./secrets.ts";
import { SignInControl } from "./sign-in/sign-in-control.ts";
import { SpendControl, spendFeed } from "./spend-control.ts";
import { spendParts } from "./spend-parts.ts";
import { settleInterrupted } from "./settle-interrupted.ts";
import { UpstreamSet } from "./upstream-set.ts";

export interface WeirServerOptions {
  readonly loaded: LoadSuccess;
  /** How the configuration was loaded; reloads go the same way. */
  readonly load: LoadOptions;
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly version: string;
  /** Where log lines go. */
  readonly writeLog: (text: string) => void;
}

/** Budgets, keys, limits and everything else of one running Weir, started and stopped in order. */
export class WeirServer {
  readonly #options: WeirServerOptions;
  readonly #log: ReturnType<typeof createLog>;
  readonly #stack = new ComponentStack();
  readonly #upstreams: UpstreamSet;
  readonly #metrics = new GatewayMetrics();
  readonly #rate = new RatePolicy();
  readonly #health: ProcessHealth;
  /** Decides budget windows; never goes back, and does not follow a jump of the wall clock at once. */
  readonly #windowClock: SteadyClock;
  readonly #telemetry = new ClientTelemetry();
  #config: Config;
  #auditTrail: AuditTrail | null = null;
  #processActs: ProcessActs | null = null;
  #snapshot: Snapshot | null = null;
  #directory: DirectorySnapshot | null = null;
  #budgets: BudgetBook | null = null;
  #spend: SpendControl | null = null;
  #budgetAlerts: LoggedAlerts | null = null;
  #signIn: SignInControl | null = null;
  #runaway: RunawayKeeper | null = null;
  #forecaster: CostForecaster | null = null;
  /** Outlives reloads: what it has learned of upstreams whose names stay is kept. */
  #router: Router | null = null;
  #overload: OverloadGate | null = null;
  #journal: FileJournal | null = null;
  #shipper: Shipper | null = null;
  #watcher: ConfigWatcher | null = null;
  #gateway: GatewayServer | null = null;
  #admin: AdminServer | null = null;
  #accessLog: AccessLog | null = null;
  #firstRun: FirstRun | null = null;

  constructor(options: WeirServerOptions) {
    this.#options = options;
    this.#config = options.loaded.config;
    this.#windowClock = new SteadyClock(options.clock);
    this.#log = createLog(this.#config.log, options.writeLog);
    const { logger } = this.#log;
    this.#upstreams = new UpstreamSet({
      logger,
      clock: options.clock,
      scheduler: systemScheduler,
      random: Math.random,
    });
    this.#health = new ProcessHealth(
      [
        { check: "journal", failure: () => this.#journalFailure() },
        { check: "configuration", failure: () => null },
        { check: "credentials", failure: () => credentialFailure(this.#upstreams.upstreams) },
      ],
      {
        clock: options.clock,
        facts: () => this.#facts(),
        details: () => ({ config_error: this.#watcher?.lastError?.diagnostics ?? null }),
      },
    );
  }

  /** Where administrative acts are written before they happen; there from right after the store has started. */
  get auditTrail(): AuditTrail {
    return required(this.#auditTrail);
  }

  /** The first key, when this start made one. */
  get firstRun(): FirstRun | null {
    return this.#firstRun;
  }

  get config(): Config {
    return this.#config;
  }

  /** The port that clients use. */
  get port(): number {
    return required(this.#gateway).address.port;
  }

  get adminPort(): number {
    return required(this.#admin).address.port;
  }

  /** Whether some upstream makes its answers up. */
  get hasSandbox(): boolean {
    return this.#upstreams.upstreams.some((upstream) => upstream.isSandbox);
  }

  /** Starts everything; on failure stops what had started and rejects with the cause. */
  async start(): Promise<void> {
    try {
      await this.#start();
    } catch (error) {
      await this.#stack.stop();
      throw error;
    }
  }

  /** Drains and stops everything, last started first. */
  async stop(): Promise<void> {
    this.#health.draining = true;
    await this.#stack.stop();
    this.#accessLog?.flush();
  }

  /** Reads the configuration files again (SIGHUP). */
  async reload(): Promise<ReloadResult> {
    return await required(this.#watcher).reload();
  }

  async #start(): Promise<void> {
    const { clock, env } = this.#options;
    const { logger } = this.#log;
    const records = await this.#stack.start(new OpenRecords(this.#config, { logger, clock }));
    const { store } = records;
    const auditTrail = new AuditRecorder(store.audit, clock);
    this.#auditTrail = auditTrail;
    await startAuditKeeping(this.#stack, {
      store: store.audit,
      trail: auditTrail,
      config: () => this.#config,
      clock,
      logger,
    });
    const processActs = new ProcessActs(auditTrail, { logger, version: this.#options.version });
    this.#processActs = processActs;
    await this.#stack.start(processActs);
    const pepper = await keyPepper(this.#config);
    const hasher = new KeyHasher(pepper);
    const ids = new IdGenerator(clock);
    const bootstrapKey = env["WEIR_BOOTSTRAP_KEY"];
    this.#firstRun = await firstRun(store.directory, { clock, ids, hasher, bootstrapKey, trail: auditTrail });

    const journal = await this.#stack.start(new FileJournal(this.#journalOptions()));
    this.#journal = journal;
    const shipper = new Shipper({
      reader: journal,
      store: auditingShipments(store.usage, store.audit),
      clock,
      logger,
    });
    this.#shipper = shipper;
    await settleInterrupted(journal, journal.recoverOpen(), { nowMs: clock.nowMs(), logger });
    // A damaged segment stops shipping, loudly, until an operator decides; it is no reason to stop serving.
    if (!(await shipper.drain()) && journal.corruption === null) {
      throw shipper.failure ?? new Error("the journal could not be shipped");
    }

    const windowClock = this.#windowClock;
    await this.#stack.start(this.#upstreams);
    await this.#apply(this.#config);
    const keys = new KeyRing(hasher);
    const sessions = new SessionRing();
    const budgets = required(this.#budgets);
    const spend = required(this.#spend);
    this.#directory = await store.directory.load();
    await rebuildBudgets(budgets, store.usage, { directory: this.#directory, nowMs: windowClock.nowMs() });
    await this.#stack.start(
      new DirectoryFeed(
        spendFeed(store, () => windowClock.nowMs()),
        {
          logger,
          apply: (reading) => {
            this.#directory = reading.directory;
            keys.replace(reading.directory);
            sessions.replace(reading.directory);
            spend.take(reading);
          },
        },
      ),
    );
    await this.#stack.start(shipper);
    this.#stack.beforeStop(() => shipper.drain());
    const streams = await this.#stack.start(new StreamKeeper(clock));
    this.#accessLog = new AccessLog(clock, this.#log.accessSink);
    const router = required(this.#router);
    const overload = new OverloadGate(overloadSettings(this.#config), Math.random);
    this.#overload = overload;
    await this.#stack.start(new OverloadWatch(overload, clock));
    await this.#stack.start(new Prober({ router, clock, logger, upstreams: () => this.#upstreams.probed }));
    const signIn = new SignInControl({
      config: this.#config,
      directory: store.directory,
      store: store.signIn,
      sessions,
      audit: auditTrail,
      hasher,
      pepper,
      ids,
      clock,
      logger,
      origin: () => this.#origin,
      directoryNow: () => required(this.#directory),
    });
    this.#signIn = await this.#stack.start(signIn);
    await this.#stack.start(this.#telemetry.forwarder);
    const money = spendParts({
      spend,
      store,
      book: budgets,
      sessions,
      audit: auditTrail,
      ids,
      clock,
      windowClock,
      logger,
    });
    for (const component of money.components) await this.#stack.start(component);
    this.#budgetAlerts = money.alerts;
    const control = await this.#stack.start(
      new ControlApi([...signIn.routes, ...this.#managedRoutes(), ...money.routes], { logger }),
    );
    this.#runaway = await this.#stack.start(new RunawayKeeper(store.sessionPauses, { config: this.#config, logger }));
    const services: GatewayServices = {
      clock,
      windowClock,
      ids,
      logger,
      accessLog: this.#accessLog,
      keys,
      sessions,
      rate: this.#rate,
      budgets,
      forecaster: required(this.#forecaster),
      tags: spend.tags,
      runaway: this.#runaway,
      router,
      overload,
      journal,
      metrics: this.#metrics,
      streams,
      objects: store.ownedObjects,
      health: this.#health,
      control,
      snapshot: () => required(this.#snapshot),
    };
    await this.#stack.start(new BatchSettler(services, { ledger: store.usage }));
    await this.#listen(services);
  }

  async #listen(services: GatewayServices): Promise<void> {
    const { listen, limits, timeouts } = this.#config;
    const gateway = new GatewayServer(
      {
        host: listen.host,
        port: listen.port,
        maxHeaderBytes: limits.max_request_header_bytes,
        maxConnections: limits.max_connections,
        headersTimeoutMs: timeouts.client_headers_ms,
        requestTimeoutMs: timeouts.request_body_ms,
        drainMs: timeouts.drain_ms,
        tls: listen.tls === undefined ? null : await readServerTls(listen.tls),
      },
      services,
    );
    const metrics = new MetricsPage(
      [...this.#metrics.instruments, ...this.#telemetry.metrics.instruments, required(this.#budgetAlerts).instrument],
      this.#gauges(gateway),
    );
    const routing = new RoutingPages({
      router: services.router,
      clock: services.clock,
      overload: services.overload,
      routes: () => required(this.#snapshot).routes,
    });
    this.#admin = await this.#startAdmin({ metrics, health: this.#health, routing });
    this.#watcher = await this.#stack.start(
      new ConfigWatcher({
        load: this.#options.load,
        initial: this.#options.loaded,
        logger: this.#log.logger,
        clock: this.#options.clock,
        onChange: (config, _, change) => required(this.#processActs).reload(change, () => this.#reconfigure(config)),
        onRefuse: (diagnostics) => required(this.#processActs).reloadRefused(diagnostics),
      }),
    );
    this.#gateway = await this.#stack.start(gateway);
  }

  /** The operators' port. On a developer's machine a taken one is no reason not to start: the system then chooses. */
  async #startAdmin(parts: ConstructorParameters<typeof AdminServer>[1]): Promise<AdminServer> {
    const { admin_listen, profile } = this.#config;
    try {
      return await this.#stack.start(new AdminServer(admin_listen, parts));
    } catch (error) {
      const taken = error instanceof Error && "code" in error && error.code === "EADDRINUSE";
      if (!taken || profile !== "dev") throw error;
      this.#log.logger.warn({ port: admin_listen.port }, "the admin port is taken; the system chooses another");
      return await this.#stack.start(new AdminServer({ ...admin_listen, port: 0 }, parts));
    }
  }

  /** Puts a new configuration into force: everything is prepared first, then exchanged in one turn. */
  async #reconfigure(config: Config): Promise<void> {
    const { tls } = config.listen;
    const serverTls = tls === undefined ? null : await readServerTls(tls);
    await this.#apply(config);
    if (serverTls !== null) this.#gateway?.setTls(serverTls);
  }

  async #apply(config: Config): Promise<void> {
    const prepared = await this.#upstreams.prepare(config);
    try {
      const nowMs = this.#options.clock.nowMs();
      const revision = (this.#snapshot?.revision ?? 0) + 1;
      const snapshot = compileSnapshot(config, prepared.upstreams, { revision, nowMs });
      const { reserve, quantile } = config.budgeting;
      const maxOvershoot = parseUsd(config.budgeting.max_overshoot_usd);
      this.#budgets ??= new BudgetBook({ clock: this.#windowClock, reserve, maxOvershoot });
      this.#forecaster ??= new CostForecaster(quantile);
      this.#budgets.configure({ reserve, maxOvershoot });
      this.#forecaster.configure(quantile);
      this.#spend ??= new SpendControl(config, this.#budgets);
      this.#spend.configure(config);
      this.#configureRouter(config);
      this.#overload?.configure(overloadSettings(config), this.#options.clock.monotonicMs());
      this.#signIn?.configure(config);
      this.#runaway?.configure(config);
      this.#telemetry.configure(config);
      this.#snapshot = snapshot;
    } catch (error) {
      await prepared.discard();
      throw error;
    }
    prepared.use();
    this.#config = config;
  }

  /** Where clients reach Weir. Only on a loopback address may it go without being configured. */
  get #origin(): string {
    const { public_url, host, tls } = this.#config.listen;
    if (public_url !== undefined) return new URL(public_url).origin;
    return `${tls === undefined ? "http" : "https"}://${host.includes(":") ? `[${host}]` : host}:${this.port}`;
  }

  #configureRouter(config: Config): void {
    const settings = routingSettings(config);
    const upstreams = config.upstreams.map(({ name }) => name);
    if (this.#router === null) {
      this.#router = new Router({ settings, upstreams, random: Math.random, seed: randomInt(2 ** 31) });
    } else {
      this.#router.configure(settings, upstreams);
    }
  }

  /** What clients get of policies and of this server, and where their telemetry goes. */
  #managedRoutes(): ControlRoutes[] {
    const { clock, version } = this.#options;
    const state = (): ManagedState => ({
      snapshot: required(this.#snapshot),
      origin: this.#origin,
      relaysTelemetry: this.#config.telemetry.forward_to.length > 0,
    });
    return [managedRoutes({ state, clock, version }), protocolRoutes({ version }), this.#telemetry.routes];
  }

  #journalOptions(): ConstructorParameters<typeof FileJournal>[0] {
    const { journal, data_dir } = this.#config;
    return {
      dir: path.join(data_dir, "journal"),
      clock: this.#options.clock,
      logger: this.#log.logger,
      segmentBytes: journal.segment_bytes,
      maxBacklogBytes: journal.max_backlog_bytes,
      reserveBytes: journal.reserve_bytes,
      commitSpacingMs: journal.commit_interval_ms,
    };
  }

  #journalFailure(): string | null {
    const state = this.#journal?.state ?? "closed";
    return state === "open" ? null : `the journal takes no new exchanges: ${state}`;
  }

  #facts(): Readonly<Record<string, unknown>> {
    const lag = this.#shipper?.lag();
    return {
      version: this.#options.version,
      profile: this.#config.profile,
      upstreams: this.#upstreams.upstreams.map(({ name, isSandbox }) => ({ name, sandbox: isSandbox })),
      journal: { state: this.#journal?.state ?? "closed", unshipped_bytes: lag?.bytes ?? 0 },
      // Why is for operators: it names files (admin port, /status).
      config_error: (this.#watcher?.lastError ?? null) === null ? null : REFUSED_RELOAD,
    };
  }

  #gauges(gateway: GatewayServer): ConstructorParameters<typeof MetricsPage>[1] {
    const lag = (): { bytes: number; oldestMs: number } => this.#shipper?.lag() ?? { bytes: 0, oldestMs: 0 };
    return [
      { name: "weir_queue_depth", help: "Requests waiting for a place.", read: () => this.#rate.gate.queued },
      { name: "weir_in_progress", help: "Requests in progress.", read: () => gateway.inProgress },
      { name: "weir_journal_backlog_bytes", help: "Journal not yet in PostgreSQL.", read: () => lag().bytes },
      {
        name: "weir_ship_lag_seconds",
        help: "Age of the oldest entry not in PostgreSQL.",
        read: () => lag().oldestMs / 1000,
      },
      {
        name: "weir_ready",
        help: "1 when ready to serve.",
        read: () => (this.#health.failures().length === 0 ? 1 : 0),
      },
      ...routingGauges({
        router: required(this.#router),
        clock: this.#options.clock,
        upstreams: () => this.#upstreams.upstreams,
      }),
    ];
  }
}

const REFUSED_RELOAD = "a changed configuration was refused and the one before is in force; the log says why";

function required<T>(value: T | null): T {
  if (value === null) throw new Error("Weir is not started");
  return value;
}
