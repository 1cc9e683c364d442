import { WeirError } from "../../core/weir-error.ts";
import type { Identity } from "../../identity/key-ring.ts";
import type { CostForecast } from "../../ledger/budgets/budget-book.ts";
import type { CostForecaster } from "../../ledger/budgets/cost-forecaster.ts";
import { checkAccess, type AccessRequest } from "../../policy/access/access-policy.ts";
import { checkModelPolicy } from "../../policy/access/model-policy.ts";
import type { ManagedPolicies } from "../../policy/managed/managed-policies.ts";
import type { Route, RouteTable, Target } from "../../routing/route-table.ts";
import type { Upstream } from "../../upstream/upstream.ts";
import type { BatchRequest } from "./batch-scan.ts";

/** Where a batch goes and under which names its models are known there. */
export interface BatchPlan {
  readonly upstream: Upstream;
  /** By the model asked for. */
  readonly targets: ReadonlyMap<string, Target>;
}

/** Who sends a batch, and what decides about it. */
export interface BatchCaller {
  readonly identity: Identity;
  readonly routes: RouteTable;
  readonly managed: ManagedPolicies;
  readonly client: AccessRequest["client"];
}

/**
 * One upstream that serves every model of a batch: the first in the order of the first model's route. A batch is one object
 * at one upstream, so it is neither divided nor moved to another one. Throws WeirError when a model is unknown or not
 * allowed, or when no single upstream serves them all.
 */
export function planBatch(
  requests: readonly BatchRequest[],
  { identity, routes, managed, client }: BatchCaller,
): BatchPlan {
  const found = new Map<string, Route>();
  for (const { scan } of requests) {
    if (found.has(scan.model)) continue;
    checkAccess(identity.key, { endpoint: "batches", model: scan.model, client });
    const route = routes.resolve(scan.model);
    if (route === null) throw new WeirError("weir:model:unknown", `model: ${scan.model}`);
    checkModelPolicy(managed, identity, route.model);
    found.set(scan.model, route);
  }
  const [first] = found.values();
  for (const { upstream } of first?.targets ?? []) {
    const targets = upstream.dialect.keepsObjects ? targetsAt(upstream, found) : null;
    if (targets !== null) return { upstream, targets };
  }
  const models = [...found.keys()].join(", ");
  throw new WeirError(
    "weir:request:invalid_field",
    `requests: no single upstream that takes batches serves all of ${models}; divide the batch`,
  );
}

function targetsAt(upstream: Upstream, routes: ReadonlyMap<string, Route>): ReadonlyMap<string, Target> | null {
  const targets = new Map<string, Target>();
  for (const [model, route] of routes) {
    const target = route.targets.find((candidate) => candidate.upstream === upstream);
    if (target === undefined) return null;
    targets.set(model, target);
  }
  return targets;
}

/** The body with each model's name replaced where the upstream has another one for it; every other byte as it came. */
export function bodyForUpstream(body: Buffer, requests: readonly BatchRequest[], plan: BatchPlan): Buffer {
  const pieces: Buffer[] = [];
  let copied = 0;
  for (const { scan, params } of requests) {
    const upstreamModel = plan.targets.get(scan.model)?.upstreamModel ?? scan.model;
    if (upstreamModel === scan.model) continue;
    pieces.push(body.subarray(copied, params.start + scan.modelStart), Buffer.from(JSON.stringify(upstreamModel)));
    copied = params.start + scan.modelEnd;
  }
  return copied === 0 ? body : Buffer.concat([...pieces, body.subarray(copied)]);
}

/** What a batch probably costs and what it can at most cost: its requests' forecasts, at half price. */
export function forecastBatch(
  requests: readonly BatchRequest[],
  plan: BatchPlan,
  { keyId, forecaster, routes }: { keyId: string; forecaster: CostForecaster; routes: RouteTable },
): CostForecast {
  let expected = 0;
  let worst = 0;
  for (const { scan, params } of requests) {
    const target = plan.targets.get(scan.model);
    if (target === undefined) continue;
    const forecast = forecaster.forecast(
      {
        keyId,
        model: routes.resolve(scan.model)?.model ?? scan.model,
        bodyBytes: params.end - params.start,
        maxTokens: scan.maxTokens,
        longCacheWrites: scan.longCacheWrites,
        fast: scan.fast,
      },
      target.price,
    );
    expected += forecast.expected;
    worst += forecast.worst;
  }
  return { expected: Math.ceil(expected / 2), worst: Math.ceil(worst / 2) };
}
