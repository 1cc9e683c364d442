import { generateKeyPairSync } from "node:crypto";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { isDeepStrictEqual } from "node:util";

import { loadConfig } from "../../config/load.ts";
import type { AuditTrail } from "../../core/audit-act.ts";
import { ManualClock } from "../../core/clock.ts";
import { AuditRecorder } from "../../ledger/audit/audit-recorder.ts";
import { StatementSigner, TrustedKeys } from "../../ledger/audit/statement-signer.ts";
import { KeyHasher } from "../../identity/key-secret.ts";
import type { Entry } from "../../message/entry.ts";
import { emptyUsage } from "../../message/usage.ts";
import { MemoryAuditStore } from "../../store/memory/memory-audit-store.ts";
import { MemoryDirectoryStore } from "../../store/memory/memory-directory-store.ts";
import { MemoryReportStore } from "../../store/memory/memory-report-store.ts";
import { MemorySessionPauseStore } from "../../store/memory/memory-session-pause-store.ts";
import { MemorySpendLimitStore } from "../../store/memory/memory-spend-limit-store.ts";
import { MemoryUsageStore } from "../../store/memory/memory-usage-store.ts";
import type { AuditStatement, ChainId } from "../../store/ports/audit.ts";
import type { CliContext, CommonOptions, Inspections, Records, ServeOptions } from "../cli-context.ts";
import { configInvalid } from "../error-report.ts";
import { runCli } from "../run.ts";
import { FakeTerminal, type FakeTerminalOptions } from "./fake-terminal.ts";

/** Noon of the day on which all tests happen. */
export const NOON_MS = Date.parse("2026-11-20T12:00:00Z");
export const ORGANIZATION = { id: "org_1", name: "acme", status: "active", timeZone: "UTC" } as const;

/** One run of the command line. */
export interface CliRun {
  readonly exitCode: number;
  readonly out: string;
  readonly err: string;
  readonly terminal: FakeTerminal;
  /** The JSON document on stdout. Throws when there is not exactly one. */
  json(): Record<string, unknown>;
}

/** The command line over memory adapters, in a directory of its own. */
export class CliFixture implements AsyncDisposable {
  readonly directory: string;
  readonly clock = new ManualClock(NOON_MS);
  readonly records = new MemoryDirectoryStore();
  readonly usage = new MemoryUsageStore();
  readonly spendLimits = new MemorySpendLimitStore(this.records);
  readonly reports = new MemoryReportStore(this.usage);
  readonly sessionPauses = new MemorySessionPauseStore();
  readonly audit = new MemoryAuditStore();
  /** Where commands record what they do; a test may put one in its place that refuses. */
  auditTrail: AuditTrail = new AuditRecorder(this.audit, this.clock);
  readonly auditSigner = new StatementSigner(
    generateKeyPairSync("ed25519").privateKey.export({ type: "pkcs8", format: "pem" }),
  );
  /** What this machine keeps of signed heads. */
  readonly keptHeads: AuditStatement[] = [];
  readonly hasher = new KeyHasher("a pepper for tests, long enough to be one");
  readonly env: Record<string, string | undefined>;
  readonly served: ServeOptions[] = [];
  /** What `doctor` sees; tests replace what they are about. */
  inspect: Inspections;
  /** How often records were opened and are not closed yet. */
  openCount = 0;
  /** Thrown instead of serving. */
  serveFailure: Error | null = null;
  /** Thrown instead of opening the records. */
  openFailure: Error | null = null;
  /** Runs right before the records are opened. */
  beforeOpen: (terminal: FakeTerminal) => void = () => {};
  /** Runs right after the records were opened. */
  afterOpen: (terminal: FakeTerminal) => void = () => {};

  private constructor(directory: string) {
    this.directory = directory;
    this.env = { HOME: directory, PATH: "" };
    this.inspect = {
      embeddedPostgres: async () => ({ version: "18.4", directory: "/opt/postgres" }),
      database: async () => ({ state: "absent" }),
      connectUpstream: async () => Promise.reject(new Error("no upstream in this test")),
      routes: async () => Promise.reject(new Error("no routes in this test")),
      runningAdmin: async () => null,
      journalDirectory: (config) => path.join(config.data_dir, "journal"),
      secretFiles: (config) => [path.join(config.data_dir, "key-pepper")],
    };
  }

  /** With an organisation, unless `isEmpty`. */
  static async create({ isEmpty = false }: { isEmpty?: boolean } = {}): Promise<CliFixture> {
    const fixture = new CliFixture(await mkdtemp(path.join(tmpdir(), "weir-cli-")));
    if (!isEmpty) await fixture.records.createOrganization(ORGANIZATION);
    return fixture;
  }

  file(name: string): string {
    return path.join(this.directory, name);
  }

  async writeConfig(text: string): Promise<void> {
    await writeFile(this.file("weir.yaml"), text);
  }

  /** Runs a command line given as words, on a terminal as described. */
  async run(words: string | readonly string[], terminalOptions: FakeTerminalOptions = {}): Promise<CliRun> {
    const argv = typeof words === "string" ? words.split(" ").filter((word) => word !== "") : words;
    const terminal = new FakeTerminal(terminalOptions);
    const exitCode = await runCli(argv, this.context(terminal));
    return {
      exitCode,
      terminal,
      out: terminal.outText,
      err: terminal.errText,
      // What a command prints as JSON is an object, by the contract of `--json`.
      json: () => JSON.parse(terminal.outText) as Record<string, unknown>,
    };
  }

  context(terminal: FakeTerminal): CliContext {
    return {
      clock: this.clock,
      env: this.env,
      cwd: this.directory,
      version: "1.2.3",
      terminal,
      inspect: this.inspect,
      serve: async (options) => {
        if (this.serveFailure !== null) throw this.serveFailure;
        this.served.push(options);
        return 0;
      },
      loadConfig: (options) => this.#loadConfig(options),
      systemUser: "ada",
      auditSigner: async () => this.auditSigner,
      openRecords: (options) => this.#openRecords(options, terminal),
    };
  }

  /** Puts one exchange into the ledger. */
  async addEntry(entry: Partial<Entry> & { readonly costMicroUsd: number }): Promise<void> {
    const number = ++this.#entries;
    const row: Entry = { ...ENTRY, exchangeId: `req_${number}`, ...entry };
    await this.usage.ship("journal", [Buffer.from(JSON.stringify(row))], { segment: 1, offset: number });
  }

  #entries = 0;

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.directory, { recursive: true, force: true });
  }

  #loadConfig(options: CommonOptions): ReturnType<typeof loadConfig> {
    const overrides = options.dataDir === undefined ? {} : { data_dir: options.dataDir };
    const { env, directory: cwd, clock } = this;
    return loadConfig({ path: options.config, profile: options.profile, env, cwd, clock, overrides });
  }

  async #openRecords(options: CommonOptions, terminal: FakeTerminal): Promise<Records> {
    this.beforeOpen(terminal);
    if (this.openFailure !== null) throw this.openFailure;
    const loaded = await this.#loadConfig(options);
    if (!loaded.ok) throw configInvalid(loaded.diagnostics);
    this.openCount += 1;
    this.afterOpen(terminal);
    return {
      config: loaded.config,
      directory: this.records,
      usage: this.usage,
      spendLimits: this.spendLimits,
      reports: this.reports,
      sessionPauses: this.sessionPauses,
      audit: {
        store: this.audit,
        trail: this.auditTrail,
        signer: this.auditSigner,
        trusted: new TrustedKeys([this.auditSigner.publicKey]),
        keptHead: async (chain) =>
          this.keptHeads.find((head) => isDeepStrictEqual(chainIdOf(head), chainIdOf(chain))) ?? null,
      },
      hasher: this.hasher,
      serverRunning: false,
      close: async () => {
        this.openCount -= 1;
      },
    };
  }
}

function chainIdOf({ organizationId, retentionClass }: ChainId): ChainId {
  return { organizationId, retentionClass };
}

const ENTRY: Entry = {
  exchangeId: "req_0",
  attempt: 1,
  attempts: 1,
  organizationId: ORGANIZATION.id,
  teamId: null,
  userId: null,
  keyId: "key_1",
  userType: "developer",
  sessionId: null,
  agentId: null,
  parentAgentId: null,
  tag: null,
  endpoint: "messages",
  clientFormat: "anthropic",
  modelAsked: "claude-sonnet-5",
  modelServed: "claude-sonnet-5",
  target: "anthropic",
  targetModel: "claude-sonnet-5",
  routeReason: "order",
  stream: true,
  status: 200,
  outcome: "complete",
  usage: { ...emptyUsage(), inputTokens: 1000, outputTokens: 200 },
  usageSource: "reported",
  costMicroUsd: 0,
  cacheMove: null,
  cacheLossMicroUsd: 0,
  priceVersion: "test",
  reservedMicroUsd: 0,
  admittedAtMs: NOON_MS - 3_600_000,
  settledAtMs: NOON_MS - 3_600_000,
  latencyMs: 900,
  timeToFirstTokenMs: 300,
  upstreamRequestId: null,
};
