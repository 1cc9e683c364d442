import type { Component } from "../../core/component.ts";

/** What a credential may look at. It is the request as it is about to be sent, before the credential's own headers. */
export interface SignableRequest {
  readonly method: string;
  /** As the `host` header will say it: with the port where it is not the protocol's own. */
  readonly host: string;
  /** Path and query exactly as they will be sent. */
  readonly path: string;
  /** Flat list of lower-case names and values. */
  readonly headers: readonly string[];
  readonly body: Buffer;
}

/** What makes an upstream accept a request. */
interface Credential {
  /**
   * The headers to add, a flat list of lower-case names and values; they replace headers of the same name. Works in memory
   * only, never over the network. Throws WeirError `weir:upstream:credential`, its message safe for callers, while there is
   * nothing valid to send.
   */
  headers(request: SignableRequest): readonly string[] | Promise<readonly string[]>;
}

/**
 * - `pending`: the first value is still awaited.
 * - `ready`: there is a valid value and the last attempt to renew it, if any, went well.
 * - `stale`: renewing fails, but the present value is still valid.
 * - `failed`: there is nothing valid to send.
 */
type CredentialState = "pending" | "ready" | "stale" | "failed";

interface CredentialFailure {
  /** What went wrong, without secrets; for operators, as it may name accounts and roles. */
  readonly reason: string;
  /** When the first failure of the present series was, milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly attempts: number;
}

export interface CredentialStatus {
  readonly state: CredentialState;
  /** When the present value was obtained; null while there is none, and for values from the configuration. */
  readonly obtainedAtMs: number | null;
  /** When the present value ends; null when it does not end by itself. */
  readonly expiresAtMs: number | null;
  /** When the next attempt to renew it is due; null when none is. */
  readonly nextAttemptAtMs: number | null;
  readonly failure: CredentialFailure | null;
}

/** A credential with a life: it is renewed ahead of its end, between `start` and `stop`. */
export interface CredentialSource extends Component, Credential {
  /** Values that requests need in `anthropic-beta` for this credential to be accepted. */
  readonly betas: readonly string[];
  status(): CredentialStatus;
  /** To be called when the upstream answered 401 or 403: asks for a new value ahead of time. Cheap, and limited in rate. */
  invalidate(): void;
}
