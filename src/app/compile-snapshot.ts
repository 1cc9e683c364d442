import { AddressList } from "../core/address-list.ts";
import { parseUsd } from "../core/money.ts";
import { limitOrNull } from "../config/fields/number.ts";
import type { Config } from "../config/schema.ts";
import type { Snapshot } from "../gateway/snapshot.ts";
import { PriceBook, type PriceOverride } from "../ledger/prices/price-book.ts";
import { configuredPolicies } from "../policy/managed/configured-policies.ts";
import { LimitTable } from "../policy/rate/limit-table.ts";
import { RouteTable } from "../routing/route-table.ts";
import type { SubjectLimits } from "../store/ports/directory.ts";
import type { Upstream } from "../upstream/upstream.ts";
import { routeOverrides } from "./routing-settings.ts";

/** A validated configuration as the hot path wants it. `nowMs` decides which dated prices apply. */
export function compileSnapshot(
  config: Config,
  upstreams: readonly Upstream[],
  { revision, nowMs }: { revision: number; nowMs: number },
): Snapshot {
  const prices = new PriceBook({
    overrides: config.pricing.overrides.map(priceOverride),
    multiplier: config.pricing.multiplier,
    date: new Date(nowMs).toISOString().slice(0, 10),
  });
  const models = config.models.map(({ id, label, description, upstream_model }) => ({
    id,
    label: label ?? null,
    description: description ?? null,
    upstreamModel: upstream_model,
  }));
  return {
    revision,
    prices,
    routes: new RouteTable({
      upstreams,
      models,
      includeBuiltins: config.auto_include_builtin_models,
      prices,
      overrides: routeOverrides(config),
    }),
    limits: limitTable(config.admission),
    queue: { size: config.admission.queue.size, timeoutMs: config.admission.queue.timeout_ms },
    blockedMessage: config.admin?.blocked_message ?? null,
    managed: configuredPolicies(config).policies,
    access: {
      allow: new AddressList(config.access_control.allow_cidrs),
      deny: new AddressList(config.access_control.deny_cidrs),
      trustedProxies: new AddressList(config.listen.trusted_proxies),
    },
    auditExchanges: config.audit.exchanges === "metadata",
    maxRequestBytes: config.limits.max_request_bytes,
    maxDecompressedBytes: config.limits.max_decompressed_bytes,
    maxUrlLength: config.limits.max_url_length,
    maxJsonDepth: config.limits.max_json_depth,
    requireKey: config.security.auth === "keys",
    pingIntervalMs: config.timeouts.ping_interval_ms,
  };
}

function priceOverride(row: Config["pricing"]["overrides"][number]): PriceOverride {
  return {
    upstream: row.upstream,
    model: row.model,
    rates: {
      input: parseUsd(row.input),
      output: parseUsd(row.output),
      cacheRead: parseUsd(row.cache_read),
      cacheWrite5m: parseUsd(row.cache_write),
      cacheWrite1h: parseUsd(row.cache_write_1h ?? row.cache_write),
    },
  };
}

type Limits = Config["admission"]["key"];
type NamedLimits = Config["admission"]["teams"];

function limitTable(admission: Config["admission"]): LimitTable {
  const { key, user, team, organization } = admission;
  return new LimitTable({
    defaults: {
      key: subjectLimits(key),
      user: subjectLimits(user),
      team: subjectLimits(team),
      organization: subjectLimits(organization),
    },
    named: {
      key: namedLimits(admission.keys),
      user: namedLimits(admission.users),
      team: namedLimits(admission.teams),
      organization: namedLimits(admission.organizations),
    },
  });
}

function subjectLimits(limits: Limits): SubjectLimits {
  return {
    requestsPerMinute: limitOrNull(limits.requests_per_minute),
    tokensPerMinute: limitOrNull(limits.tokens_per_minute),
    maxConcurrent: limitOrNull(limits.max_concurrent_requests),
  };
}

/** What a name sets; what it does not set stays undefined, so that the default applies. */
function namedLimits(named: NamedLimits): Readonly<Record<string, Partial<SubjectLimits>>> {
  return Object.fromEntries(
    Object.entries(named).map(([name, limits]) => {
      const own: { -readonly [K in keyof SubjectLimits]?: SubjectLimits[K] } = {};
      if (limits.requests_per_minute !== undefined) own.requestsPerMinute = limitOrNull(limits.requests_per_minute);
      if (limits.tokens_per_minute !== undefined) own.tokensPerMinute = limitOrNull(limits.tokens_per_minute);
      if (limits.max_concurrent_requests !== undefined) own.maxConcurrent = limitOrNull(limits.max_concurrent_requests);
      return [name, own];
    }),
  );
}
