import { canonicalModel } from "../../src/message/models.ts";
import type { Entry } from "../../src/message/entry.ts";
import type { CloudServer } from "../harness/clouds/cloud-server.ts";
import { CLOUD_MODEL, CLOUDS, weirConfig, type CloudConfig, type RunningCloud } from "../harness/clouds/clouds.ts";
import { RecordingProxy, type RecordedRequest } from "../harness/recording-proxy.ts";
import { WeirProcess } from "../harness/weir-process.ts";
import { runClaude, type ClaudeOptions, type ClaudeRun } from "./run-claude.ts";

/** The model's id there, where the stand-in's configuration leaves it to Weir and it is not the model's own name. */
const BEDROCK_ID = "eu.anthropic.claude-sonnet-5-5";

/** A session of Claude Code, with what it asked Weir and what the ledger has of it. */
export interface ClaudeSession extends ClaudeRun {
  /** What it asked Weir, in order. */
  readonly requests: readonly RecordedRequest[];
  /** Its id as it told it; null when it asked nothing that carries one. */
  readonly id: string | null;
  /** The rows of its requests for inference, one for each. */
  readonly rows: readonly Entry[];
}

interface FleetOptions {
  readonly program: string;
  /** Further models: name → kinds of the upstreams that serve it, in the order in which they are tried. */
  readonly models?: Readonly<Record<string, readonly string[]>>;
  readonly config?: Readonly<Record<string, unknown>>;
}

interface FleetParts {
  readonly program: string;
  readonly weir: WeirProcess;
  readonly clouds: ReadonlyMap<string, RunningCloud>;
  /** The model's id at the upstream of each kind. */
  readonly modelIds: ReadonlyMap<string, string>;
}

/** One real Weir with every kind of upstream behind it, each a stand-in that verifies what it is sent. */
export class CloudFleet {
  readonly weir: WeirProcess;
  readonly #program: string;
  readonly #clouds: ReadonlyMap<string, RunningCloud>;
  readonly #modelIds: ReadonlyMap<string, string>;

  private constructor(parts: FleetParts) {
    this.weir = parts.weir;
    this.#program = parts.program;
    this.#clouds = parts.clouds;
    this.#modelIds = parts.modelIds;
  }

  static async start({ program, models = {}, config = {} }: FleetOptions): Promise<CloudFleet> {
    const clouds = new Map<string, RunningCloud>();
    const modelIds = new Map<string, string>();
    const parts: CloudConfig[] = [];
    for (const kind of CLOUDS) {
      const running = await kind.start();
      const { models: ids, ...part } = kind.configYaml(running);
      clouds.set(kind.kind, running);
      modelIds.set(kind.kind, ids[CLOUD_MODEL] ?? (kind.kind === "bedrock" ? BEDROCK_ID : CLOUD_MODEL));
      // Under names of this fleet's alone: which one of them is asked for decides where a request goes.
      parts.push({ ...part, models: {} });
    }
    const { config: sections, env } = weirConfig(parts);
    const served = { ...Object.fromEntries(CLOUDS.map(({ kind }) => [fleetModel(kind), [kind]])), ...models };
    const weir = await WeirProcess.start({
      config: { ...sections, ...modelSections(served, modelIds), ...config },
      env,
    });
    for (const { server } of clouds.values()) server.forbid(weir.key);
    return new CloudFleet({ program, weir, clouds, modelIds });
  }

  async stop(): Promise<void> {
    await this.weir.dispose();
    await Promise.all([...this.#clouds.values()].map((cloud) => cloud.stop()));
  }

  /** The stand-in of a kind. */
  cloud(kind: string): CloudServer {
    const found = this.#clouds.get(kind);
    if (found === undefined) throw new Error(`there is no cloud ${kind}`);
    return found.server;
  }

  /** The model's id at the upstream of a kind. */
  modelAt(kind: string): string {
    return this.#modelIds.get(kind) ?? "";
  }

  /** What the stand-ins found wrong with requests, and what they refused of their own accord. */
  complaints(...kinds: readonly string[]): string[] {
    const clouds =
      kinds.length === 0 ? [...this.#clouds.values()] : kinds.map((kind) => ({ server: this.cloud(kind) }));
    return clouds.flatMap(({ server }) => [
      ...server.problems,
      ...server.refusals.map(({ status, message }) => `${server.name} refused: ${status} ${message}`),
    ]);
  }

  /** Forgets what the stand-ins have seen, and every fault that is planned for them. */
  reset(): void {
    for (const { server } of this.#clouds.values()) server.reset();
  }

  /** Runs Claude Code on one prompt; resolves when the ledger has every request of it for inference that Weir admitted. */
  async run(prompt: string, options: Partial<ClaudeOptions> = {}): Promise<ClaudeSession> {
    const proxy = await RecordingProxy.start(this.weir.url);
    try {
      const run = await runClaude(prompt, { program: this.#program, url: proxy.url, key: this.weir.key, ...options });
      const requests = [...proxy.requests];
      const ids = new Set(requests.flatMap(({ headers }) => headers["x-claude-code-session-id"] ?? []));
      if (ids.size > 1) throw new Error(`one session told several ids: ${[...ids].join(", ")}`);
      const [id = null] = ids;
      return { ...run, requests, id, rows: await this.#rows(id, requests.filter(isInference).length) };
    } finally {
      await proxy.stop();
    }
  }

  /** Requests that Weir itself has refused so far, by the code of the refusal. */
  async refusals(): Promise<Record<string, number>> {
    const lines = (await this.weir.metrics()).matchAll(/^weir_refusals_total\{code="([^"]+)"\} (\d+)$/gm);
    return Object.fromEntries([...lines].map(([, code = "", count]) => [code, Number(count)]));
  }

  async #rows(session: string | null, count: number): Promise<Entry[]> {
    if (session === null) return [];
    const ofSession = (rows: readonly Entry[]): Entry[] => rows.filter(({ sessionId }) => sessionId === session);
    return ofSession(await this.weir.entries((rows) => ofSession(rows).length >= count));
  }
}

/** The name under which only an upstream of that kind serves the model. Claude Code sees by it which model it is. */
export function fleetModel(kind: string): string {
  const name = `${CLOUD_MODEL}-at-${kind.toLowerCase()}`;
  if (canonicalModel(name) !== null) throw new Error(`${name} would be taken for the built-in model`);
  return name;
}

/** The sections `models` and `routing` for models that certain upstreams alone serve. */
function modelSections(
  served: Readonly<Record<string, readonly string[]>>,
  modelIds: ReadonlyMap<string, string>,
): Readonly<Record<string, unknown>> {
  const entries = Object.entries(served);
  const models = entries.map(([id, kinds]) => ({
    id,
    upstream_model: Object.fromEntries(kinds.map((kind) => [kind, modelIds.get(kind)])),
  }));
  const overrides = entries.map(([id, kinds]) => ({ models: [id], upstreams: kinds }));
  return { models, routing: { overrides } };
}

/** What Claude Code asked, as `METHOD path status`, without session-specific parts. */
export function asked(requests: readonly RecordedRequest[]): string[] {
  return requests.map(({ method, url, status }) => `${method} ${url} ${status}`);
}

function isInference({ method, url, status }: RecordedRequest): boolean {
  if (method !== "POST" || /count[-_]tokens/.test(url) || status === 401) return false;
  return /\/v1\/messages|\/invoke(?:-with-response-stream)?$|:(?:stream)?rawPredict$/i.test(url);
}
