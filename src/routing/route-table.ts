import { BUILTIN_MODELS, canonicalModel, matchesModel } from "../message/models.ts";
import type { Price, PriceBook } from "../ledger/prices/price-book.ts";
import type { Upstream } from "../upstream/upstream.ts";
import type { StrategyName } from "./balance/strategy-name.ts";
import { targetKey, type RouteTarget } from "./target.ts";

/** One upstream and the id that the model has there, with its price. */
export interface Target {
  readonly upstream: Upstream;
  readonly upstreamModel: string;
  readonly price: Price;
  /** The same target as the router knows it. */
  readonly planned: RouteTarget;
}

/** What a model name resolves to: an ordered, explainable list of targets. */
export class Route {
  /** The name under which the model is listed, metered and shown: a configured id or a built-in one. */
  readonly model: string;
  readonly targets: readonly Target[];
  /** One line for each target: why it stands where it stands. */
  readonly reasons: readonly string[];
  /** How its targets share requests, where that is not the general way. */
  readonly strategy: StrategyName | null;
  readonly #byKey: ReadonlyMap<string, Target>;
  readonly #all: readonly RouteTarget[];
  /** Of one upstream alone, by its name: the router wants the same list for the same question. */
  readonly #ofUpstream = new Map<string, readonly RouteTarget[]>();
  /** Those that count tokens; `""` for all upstreams. */
  readonly #counting = new Map<string, readonly RouteTarget[]>();

  constructor(model: string, targets: readonly Target[], more: RouteDetails) {
    this.model = model;
    this.targets = targets;
    this.reasons = more.reasons;
    this.strategy = more.strategy;
    this.#byKey = new Map(targets.map((target) => [target.planned.key, target]));
    this.#all = targets.map(({ planned }) => planned);
  }

  byKey(key: string): Target | null {
    return this.#byKey.get(key) ?? null;
  }

  /** Those targets for the router that count tokens; with `upstream`, those there alone. Empty where none does. */
  counting(upstream: string | null): readonly RouteTarget[] {
    const name = upstream ?? "";
    const known = this.#counting.get(name);
    if (known !== undefined) return known;
    const own = this.plannable(upstream).filter(({ key, upstreamModel }) =>
      this.byKey(key)?.upstream.dialect.countsTokens(upstreamModel),
    );
    if (upstream === null || own.length > 0) this.#counting.set(name, own);
    return own;
  }

  /** The targets for the router; with `upstream`, those there alone (it holds the request's files). */
  plannable(upstream: string | null): readonly RouteTarget[] {
    if (upstream === null) return this.#all;
    const known = this.#ofUpstream.get(upstream);
    if (known !== undefined) return known;
    const own = this.#all.filter((target) => target.upstream === upstream);
    if (own.length > 0) this.#ofUpstream.set(upstream, own);
    return own;
  }
}

type RouteDetails = Pick<Route, "reasons" | "strategy">;

/** Other rules for some models; the first that names a model counts. */
export interface RouteOverride {
  /** Ids as they are listed, with `*` for any run of characters. */
  readonly models: readonly string[];
  /** Null for the general one. */
  readonly strategy: StrategyName | null;
  /** Names of the only upstreams for these models, in the order to try; null for all. */
  readonly upstreams: readonly string[] | null;
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
  readonly overrides?: readonly RouteOverride[];
}

/** Names that clients may ask for, resolved to targets. Immutable; one for each configuration snapshot. */
export class RouteTable {
  readonly listed: readonly ListedModel[];
  readonly #options: RouteTableOptions;
  /** By identity: the configuration holds no two models of one identity. */
  readonly #configured: ReadonlyMap<string, ConfiguredModel>;
  /** By the ids at upstreams: clients of Bedrock name ARNs, those of Azure deployments. */
  readonly #byUpstreamId: ReadonlyMap<string, ConfiguredModel>;
  /** Routes by the name asked for. Only names that resolve are kept, so callers cannot grow it with inventions. */
  readonly #routes = new Map<string, Route>();

  constructor(options: RouteTableOptions) {
    this.#options = options;
    this.#configured = new Map(options.models.map((model) => [identity(model.id), model]));
    this.#byUpstreamId = new Map(
      options.models.flatMap((model) => Object.values(model.upstreamModel).map((id) => [id, model] as const)),
    );
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
    const configured = this.#configured.get(identity(bare)) ?? this.#byUpstreamId.get(asked);
    if (configured === undefined && (canonical === null || !this.#options.includeBuiltins)) return null;
    const model = configured?.id ?? canonical ?? bare;
    const override = this.#overrideOf(model);
    const isRestricted = override !== null && override.upstreams !== null;
    const targets: Target[] = [];
    const reasons: string[] = [];
    for (const upstream of this.#upstreamsFor(override)) {
      const mapped = configured?.upstreamModel[upstream.name];
      // A custom model exists only where it is mapped; a built-in one is tried everywhere, under its own id by default.
      if (mapped === undefined && canonical === null) continue;
      const upstreamModel = mapped ?? upstream.dialect.modelId(bare, canonical);
      if (upstreamModel === null) continue;
      const price = this.#options.prices.resolve({
        upstream: upstream.name,
        upstreamModel,
        modelAsked: bare,
        modelConfigured: configured?.id ?? null,
      });
      const planned = plannedTarget(upstream, { model, upstreamModel, price });
      targets.push({ upstream, upstreamModel, price, planned });
      const listed = `listed ${ordinal(targets.length)}${isRestricted ? " (routing.overrides)" : ""}`;
      const named = mapped === undefined ? "its own id" : "models[].upstream_model";
      reasons.push(
        `${targets.length}. ${upstream.name}: ${listed}, serves it as ${upstreamModel} (${named}), ${price.origin} price`,
      );
    }
    return targets.length === 0 ? null : new Route(model, targets, { reasons, strategy: override?.strategy ?? null });
  }

  #overrideOf(model: string): RouteOverride | null {
    const { overrides = [] } = this.#options;
    return overrides.find(({ models }) => models.some((pattern) => matchesModel(pattern, model))) ?? null;
  }

  /** The upstreams that may serve a model, in the order to try. */
  #upstreamsFor(override: RouteOverride | null): readonly Upstream[] {
    const { upstreams } = this.#options;
    const names = override?.upstreams ?? null;
    if (names === null) return upstreams;
    return names.flatMap((name) => upstreams.find((upstream) => upstream.name === name) ?? []);
  }
}

function plannedTarget(
  upstream: Upstream,
  { model, upstreamModel, price }: { model: string; upstreamModel: string; price: Price },
): RouteTarget {
  const { cloud, region, weight, promptCache } = upstream.settings.placement;
  const key = targetKey(upstream.name, model);
  const maxConcurrent = upstream.settings.maxConcurrent ?? null;
  return { key, upstream: upstream.name, upstreamModel, cloud, region, weight, maxConcurrent, price, promptCache };
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
  // What no upstream has under a name of its own would only be refused.
  const isServed = (id: string): boolean => options.upstreams.some(({ dialect }) => dialect.modelId(id, id) !== null);
  const builtin = BUILTIN_MODELS.filter(({ id }) => !names.has(id) && isServed(id));
  return [...configured, ...builtin.map(({ id, label }) => ({ id, label, description: null }))];
}

function ordinal(position: number): string {
  return ["first", "second", "third"][position - 1] ?? `${position}th`;
}
