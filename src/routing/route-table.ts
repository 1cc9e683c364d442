import { BUILTIN_MODELS, canonicalModel } from "../message/models.ts";
import type { Price, PriceBook } from "../ledger/prices/price-book.ts";
import type { Upstream } from "../upstream/upstream.ts";

/** One upstream and the id that the model has there, with its price. */
export interface Target {
  readonly upstream: Upstream;
  readonly upstreamModel: string;
  readonly price: Price;
}

/** What a model name resolves to: an ordered, explainable list of targets. */
export interface Route {
  /** The name under which the model is listed, metered and shown: a configured id or a built-in one. */
  readonly model: string;
  readonly targets: readonly Target[];
  /** One line for each target: why it stands where it stands. */
  readonly reasons: readonly string[];
}

/** A model as the configuration lists it. */
export interface ConfiguredModel {
  readonly id: string;
  readonly label: string | null;
  readonly description: string | null;
  /** Upstream name → the model's id there. */
  readonly upstreamModel: Readonly<Record<string, string>>;
}

/** A model as clients see it listed. */
export interface ListedModel {
  readonly id: string;
  readonly label: string;
  readonly description: string | null;
}

export interface RouteTableOptions {
  readonly upstreams: readonly Upstream[];
  readonly models: readonly ConfiguredModel[];
  /** Whether built-in Claude models are served besides the configured ones. */
  readonly includeBuiltins: boolean;
  readonly prices: PriceBook;
}

/** Names that clients may ask for, resolved to targets. Immutable; one for each configuration snapshot. */
export class RouteTable {
  readonly listed: readonly ListedModel[];
  readonly #options: RouteTableOptions;
  /** By identity: the configuration holds no two models of one identity. */
  readonly #configured: ReadonlyMap<string, ConfiguredModel>;
  /** Routes by the name asked for. Only names that resolve are kept, so callers cannot grow it with inventions. */
  readonly #routes = new Map<string, Route>();

  constructor(options: RouteTableOptions) {
    this.#options = options;
    this.#configured = new Map(options.models.map((model) => [identity(model.id), model]));
    this.listed = listModels(options);
  }

  /** The route of a model name in any spelling, or null when nothing serves it. */
  resolve(asked: string): Route | null {
    const known = this.#routes.get(asked);
    if (known !== undefined) return known;
    const route = this.#plan(asked);
    if (route !== null && this.#routes.size < 10_000) this.#routes.set(asked, route);
    return route;
  }

  #plan(asked: string): Route | null {
    const bare = asked.replace(/\[[^\]]*\]$/, "");
    const canonical = canonicalModel(bare);
    const configured = this.#configured.get(identity(bare));
    if (configured === undefined && (canonical === null || !this.#options.includeBuiltins)) return null;
    const targets: Target[] = [];
    const reasons: string[] = [];
    for (const upstream of this.#options.upstreams) {
      const mapped = configured?.upstreamModel[upstream.name];
      // A custom model exists only where it is mapped; a built-in one is tried everywhere, under its own id by default.
      if (mapped === undefined && canonical === null) continue;
      const upstreamModel = mapped ?? bare;
      const price = this.#options.prices.resolve({
        upstream: upstream.name,
        upstreamModel,
        modelAsked: bare,
        modelConfigured: configured?.id ?? null,
      });
      targets.push({ upstream, upstreamModel, price });
      reasons.push(
        `${targets.length}. ${upstream.name}: listed ${ordinal(targets.length)}, serves it as ${upstreamModel}` +
          `${mapped === undefined ? " (its own id)" : " (models[].upstream_model)"}, ${price.origin} price`,
      );
    }
    return targets.length === 0 ? null : { model: configured?.id ?? canonical ?? bare, targets, reasons };
  }
}

/** What all spellings of a model have in common: the built-in id, else the id in lower case. */
function identity(id: string): string {
  return canonicalModel(id) ?? id.toLowerCase();
}

function listModels(options: RouteTableOptions): readonly ListedModel[] {
  const configured = options.models.map((model) => ({
    id: model.id,
    label: model.label ?? model.id,
    description: model.description,
  }));
  if (!options.includeBuiltins) return configured;
  const names = new Set(configured.map((model) => identity(model.id)));
  const builtin = BUILTIN_MODELS.filter((model) => !names.has(model.id));
  return [...configured, ...builtin.map(({ id, label }) => ({ id, label, description: null }))];
}

function ordinal(position: number): string {
  return ["first", "second", "third"][position - 1] ?? `${position}th`;
}
