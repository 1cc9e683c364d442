import type { FastifyRequest } from "fastify";

import { WeirError } from "../../core/weir-error.ts";
import type { AttemptLimits } from "../../identity/sign-in/attempt-limits.ts";
import type { Caller, SignIn } from "../../identity/sign-in/sign-in.ts";
import type { SignInSettings } from "../../identity/sign-in/sign-in-settings.ts";
import { browserOf } from "./browser-cookie.ts";

/** What the sign-in endpoints work with. */
export interface SignInEndpointParts {
  readonly signIn: SignIn;
  readonly limits: AttemptLimits;
  /** Where clients and browsers reach this Weir: scheme, host and port. */
  readonly origin: () => string;
}

/** The settings; a 404 where nobody can sign in. */
export function requireSettings({ signIn }: SignInEndpointParts): SignInSettings {
  if (signIn.settings !== null) return signIn.settings;
  throw new WeirError(
    "weir:request:not_found",
    "Sign-in is not set up on this Weir: its configuration has no oidc section.",
  );
}

export function callerOf(request: FastifyRequest, origin: string): Caller {
  const { clientAddress, requestId } = request.call;
  return { address: clientAddress, requestId, browser: browserOf(request.raw, origin) };
}

/** A field of a form; null where it is missing or was sent twice. */
export function fieldOf(body: unknown, name: string): string | null {
  if (typeof body !== "object" || body === null || !Object.hasOwn(body, name)) return null;
  const value: unknown = (body as Record<string, unknown>)[name]; // an object's own member
  return typeof value === "string" && value !== "" ? value : null;
}
