import { AddressList } from "../../core/address-list.ts";
import { limitOrNull } from "../../config/fields/number.ts";
import { attemptTimeouts } from "../../config/attempt-timeouts.ts";
import type { Config, UpstreamConfig } from "../../config/schema.ts";
import { baseUrlOf, parametersOf } from "../../upstream/catalogue/configured.ts";
import { providerRow } from "../../upstream/catalogue/providers.ts";
import { resolveHeaders } from "../../upstream/catalogue/resolve.ts";
import type { CredentialSource } from "../../upstream/credentials/credential.ts";
import type { RequestTimeouts, UpstreamSettings, UpstreamTls } from "../../upstream/upstream.ts";
import { dialectOf } from "./dialect-of.ts";
import { guardrailHeaders, guardrailOf } from "./guardrail.ts";
import { placementOf } from "./placement.ts";
import { proxyUrlOf } from "./way-out.ts";

/** The sandbox answers on loopback, wherever other upstreams may be. */
const LOOPBACK = ["127.0.0.0/8", "::1/128"];
const NO_TLS: UpstreamTls = { ca: null, cert: null, key: null, serverName: null };

/** What an upstream's settings need besides the configuration: all that is read, started or listened on. */
export interface Surroundings {
  readonly credential: CredentialSource;
  readonly tls: UpstreamTls | null;
  /** Where the built-in sandbox listens; null for every other upstream. */
  readonly sandboxUrl: string | null;
}

/** The settings of a configured upstream. Throws an Error that says what is missing for an address. */
export function upstreamSettings(
  upstream: UpstreamConfig,
  config: Config,
  { credential, tls, sandboxUrl }: Surroundings,
): UpstreamSettings {
  const dialect = dialectOf(upstream);
  const baseUrl = baseUrlOf(upstream) ?? sandboxUrl ?? "";
  const isSandbox = upstream.provider === "sandbox";
  return {
    name: upstream.name,
    provider: upstream.provider,
    baseUrl,
    dialect,
    placement: placementOf(upstream, dialect),
    credential,
    extraHeaders: fixedHeaders(upstream),
    proxyUrl: isSandbox ? null : proxyUrlOf(upstream, baseUrl, config),
    tls: tls ?? NO_TLS,
    client: isSandbox ? "weir" : upstream.client,
    ...waits(upstream, config),
    maxConcurrent: limitOrNull(upstream.max_concurrent),
    allowPrivate: new AddressList(isSandbox ? LOOPBACK : config.network.allow_private_upstreams),
    forwardUserIdentity: upstream.provider === "anthropic" && upstream.forward_user_identity,
  };
}

/** What the provider needs, what the operator adds, and the guardrail, which nothing may replace. */
function fixedHeaders(upstream: UpstreamConfig): Readonly<Record<string, string>> {
  const ofProvider = resolveHeaders(providerRow(upstream.provider), parametersOf(upstream));
  const headers: Record<string, string> = {};
  for (let i = 0; i < ofProvider.length; i += 2) headers[ofProvider[i] ?? ""] = ofProvider[i + 1] ?? "";
  if (upstream.provider === "sandbox") return headers;
  for (const [name, value] of Object.entries(upstream.headers)) headers[name.toLowerCase()] = value;
  const guardrail = guardrailOf(upstream);
  return guardrail === null ? headers : { ...headers, ...guardrailHeaders(guardrail) };
}

type Waits = Pick<UpstreamSettings, "connectTimeoutMs" | "headersTimeoutMs" | "idleTimeoutMs" | "ownTimeouts">;

function waits({ timeouts: own }: UpstreamConfig, { timeouts }: Config): Waits {
  const { interactive, batch } = attemptTimeouts(timeouts);
  const ownTimeouts: { -readonly [Name in keyof RequestTimeouts]?: number } = {};
  if (own.ttfb_ms !== undefined) ownTimeouts.firstByteMs = own.ttfb_ms;
  if (own.idle_ms !== undefined) ownTimeouts.idleMs = own.idle_ms;
  return {
    connectTimeoutMs: own.connect_ms ?? interactive.connectMs,
    // Each request asks for the times of its class; these bound them all.
    headersTimeoutMs: Math.max(interactive.firstByteMs, batch.firstByteMs),
    idleTimeoutMs: Math.max(interactive.idleMs, batch.idleMs),
    ownTimeouts,
  };
}
