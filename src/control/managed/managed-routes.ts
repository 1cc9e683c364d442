import type { FastifyReply, FastifyRequest } from "fastify";

import type { Clock } from "../../core/clock.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { Snapshot } from "../../gateway/snapshot.ts";
import type { Identity } from "../../identity/key-ring.ts";
import { BUILTIN_MODELS } from "../../message/models.ts";
import { policyAllowsModel } from "../../policy/access/model-policy.ts";
import { type DesktopModel, desktopSettings } from "../../policy/managed/desktop-settings.ts";
import type { ControlRoutes } from "../control-api.ts";
import { isDesktopSession } from "./desktop-session.ts";

/** What the present configuration says. */
export interface ManagedState {
  readonly snapshot: Pick<Snapshot, "managed" | "routes">;
  /** Where clients reach Weir, without a slash at the end. */
  readonly origin: string;
  readonly relaysTelemetry: boolean;
}

export interface ManagedRoutesOptions {
  readonly state: () => ManagedState;
  readonly clock: Clock;
  readonly version: string;
}

/** How long a configuration of Claude Desktop holds whose caller's credential has no end. */
const DEFAULT_HOLD_SECONDS = 3_600;
const BUILTIN_LABELS: ReadonlyMap<string, string> = new Map(BUILTIN_MODELS.map(({ id, label }) => [id, label]));

/** `GET /managed/settings` for Claude Code and `GET /user/bootstrap` for Claude Desktop. */
export function managedRoutes(options: ManagedRoutesOptions): ControlRoutes {
  return (app) => {
    app.get("/managed/settings", (request, reply) => sendSettings(options, request, reply));
    app.get("/user/bootstrap", (request, reply) => sendBootstrap(options, request, reply));
  };
}

function sendSettings(options: ManagedRoutesOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const policy = options.state().snapshot.managed.of(callerOf(request));
  reply.header("vary", "User-Agent");
  if (policy === null) throw nothingFor(options, reply, "No managed policy matches you.");
  if (isDesktopSession(request.headers["user-agent"])) {
    throw nothingFor(options, reply, "Sessions of Claude Desktop get their policy from Claude Desktop.");
  }
  const { settings, checksum } = policy;
  const etag = `"${checksum}"`;
  reply.header("etag", etag);
  if (names(request.headers["if-none-match"], etag)) return reply.code(304).send();
  return reply.send({ uuid: checksum, checksum, settings });
}

function sendBootstrap(options: ManagedRoutesOptions, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { snapshot, origin, relaysTelemetry } = options.state();
  const identity = callerOf(request);
  const { managed } = snapshot;
  reply.header("cache-control", "no-store");
  const policy = managed.of(identity);
  if (!managed.servesDesktop) throw notFound("Claude Desktop is not configured here: no policy has a desktop key.");
  if (policy === null) throw notFound("No managed policy matches you.");
  const { user, principal, groups, key } = identity;
  const expiresAtMs = key.expiresAtMs ?? options.clock.nowMs() + DEFAULT_HOLD_SECONDS * 1_000;
  const settings = desktopSettings(policy, {
    origin,
    models: desktopModels(snapshot, identity),
    relaysTelemetry,
    person: { email: user?.email ?? null, id: principal.userId ?? principal.keyId, groups },
    expiresAtSeconds: Math.floor(expiresAtMs / 1_000),
  });
  if (settings === null)
    throw notFound("The policy that matches you does not serve Claude Desktop: it has no desktop key.");
  return reply.send(settings);
}

/**
 * Nothing for this session. Claude Code reads a 404 with these two headers as the gateway's own word, and warns of nothing.
 */
function nothingFor({ version }: ManagedRoutesOptions, reply: FastifyReply, message: string): WeirError {
  reply.header("cache-control", "no-store").header("x-cc-gateway-version", version);
  return notFound(message);
}

function notFound(message: string): WeirError {
  return new WeirError("weir:policy:none", message);
}

/** Whether `If-None-Match` names exactly this content. `*` does not: whoever sends it asks whether there is any. */
function names(header: string | undefined, etag: string): boolean {
  return header !== undefined && header.split(",").some((entry) => entry.trim() === etag);
}

function desktopModels({ routes, managed }: ManagedState["snapshot"], identity: Identity): DesktopModel[] {
  return routes.listed
    .filter(({ id }) => policyAllowsModel(managed, identity, id) && routes.resolve(id) !== null)
    .map(({ id, label }) => ({ id, label: label === BUILTIN_LABELS.get(id) || label === id ? null : label }));
}

function callerOf(request: FastifyRequest): Identity {
  const { identity } = request.call;
  if (identity === null) throw new Error("an endpoint for identified callers was served without one");
  return identity;
}
