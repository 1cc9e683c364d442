import type { IncomingMessage, ServerResponse } from "node:http";

import type { WeirError } from "../core/weir-error.ts";
import type { Reservation } from "../ledger/budgets/budget-book.ts";
import type { Identity } from "../identity/key-ring.ts";
import type { AdmittedExchange, Outcome } from "../message/entry.ts";
import type { Usage, UsageSource } from "../message/usage.ts";
import type { RateTicket } from "../policy/rate/rate-policy.ts";
import type { AffinityDecision } from "../routing/affinity/affinity-decision.ts";
import type { Plan, PlannedTarget } from "../routing/plan.ts";
import type { Route, Target } from "../routing/route-table.ts";
import type { Attempt } from "../routing/runtime/attempt.ts";
import type { ScannedRequest } from "../wire/anthropic/request-scan.ts";
import type { ClientCall, ClientWire, WireWarning } from "../wire/codec.ts";
import type { Endpoint } from "./endpoints.ts";
import type { AnswerRewrite } from "./relay/buffer-relay.ts";
import type { Relay } from "./relay/relay.ts";
import { clientAddress } from "./http/client-address.ts";
import type { Place } from "./stages/queue.ts";
import type { Snapshot } from "./snapshot.ts";
import { CLIENT_WIRES } from "./wires.ts";

/** What the attempt and relay stages found out; the settle stage makes the entry from it. */
export interface Result {
  /** HTTP status given to the client, or 499 when it had gone before one was sent. */
  status: number;
  outcome: Outcome;
  usage: Usage;
  usageSource: UsageSource;
  target: Target | null;
  attempts: number;
  upstreamRequestId: string | null;
  /** Monotonic time of the first content; null when none came. */
  firstTokenAtMs: number | null;
  errorType: string | null;
}

/** One client request and all that happens to it until it is settled. Stages fill it in order. */
export class Exchange {
  readonly id: string;
  readonly request: IncomingMessage;
  readonly response: ServerResponse;
  readonly endpoint: Endpoint;
  /** Path and query as sent upstream: the endpoint's path without the client's base prefix, its query kept. */
  readonly upstreamPath: string;
  /** The configuration it runs under from beginning to end. */
  readonly snapshot: Snapshot;
  readonly startedAtMs: number;
  /** Wall-clock time of its beginning, milliseconds since the epoch. */
  readonly createdAtMs: number;
  /** Set when the client's connection closes before the response was finished. */
  clientGone = false;
  /** Set when Weir itself cuts it off, at the end of its time to drain. */
  interrupted = false;
  /** Called once when the client goes away. Whoever is working for the exchange puts its undoing here. */
  onClientGone: (() => void) | null = null;

  /** The format that the client speaks; null for Messages, which needs no translation. */
  readonly clientWire: ClientWire | null;
  /** The model, where the path names it. */
  readonly pathModel: string | null;
  identity: Identity | null = null;
  /** What the client sent, and what came of it in its own format; null for Messages. */
  clientBody: Buffer | null = null;
  clientCall: ClientCall | null = null;
  /** What did not go over as the client asked it. */
  warnings: readonly WireWarning[] = [];
  /** The request as Messages JSON. */
  body: Buffer | null = null;
  scan: ScannedRequest | null = null;
  /** The upstream that holds the files which the request uses; null when it uses none. */
  heldBy: string | null = null;
  route: Route | null = null;
  /** What the plan stage chose of the route, in the order to try. */
  plan: Plan | null = null;
  /** The attempt whose answer the client gets, or the last one. */
  attempt: { readonly planned: PlannedTarget; readonly attempt: Attempt } | null = null;
  /** Its place among those that run; given back by the settle stage. */
  place: Place | null = null;
  ticket: RateTicket | null = null;
  reservation: Reservation | null = null;
  /** The project tag that pays beside the caller. */
  tag: string | null = null;
  /** What the journal holds of the exchange, once its open record is written; it must then be settled. */
  admitted: AdmittedExchange | null = null;
  budgetHeaders: Readonly<Record<string, string>> | null = null;
  result: Result | null = null;
  /** Why the exchange is refused, once it is; answered after it has been settled. */
  refusal: WeirError | null = null;
  /** The client's session, from its header or, in the simple API, from the body. */
  sessionId: string | null;
  /** Where its session's prompt cache went, and what that cost. */
  affinity: AffinityDecision | null = null;
  /** Why the answer comes from where it comes, for the response's header. */
  routeReason: string | null = null;
  /** Receives the upstream's answer once it is decided that the client gets it. */
  relay: Relay | null = null;
  /** What the simple API makes of a whole answer; null passes it on as it came. */
  rewriteAnswer: AnswerRewrite | null = null;

  constructor(init: {
    id: string;
    request: IncomingMessage;
    response: ServerResponse;
    endpoint: Endpoint;
    upstreamPath: string;
    pathModel: string | null;
    snapshot: Snapshot;
    startedAtMs: number;
    createdAtMs: number;
  }) {
    this.id = init.id;
    this.request = init.request;
    this.response = init.response;
    this.endpoint = init.endpoint;
    this.upstreamPath = init.upstreamPath;
    this.pathModel = init.pathModel;
    this.clientWire = CLIENT_WIRES[init.endpoint.wire ?? "anthropic"];
    this.snapshot = init.snapshot;
    this.startedAtMs = init.startedAtMs;
    this.createdAtMs = init.createdAtMs;
    this.sessionId = this.header("x-claude-code-session-id");
  }

  /** The client's address, behind trusted proxies too. Found when asked for: most exchanges never do. */
  get clientAddress(): string {
    return clientAddress(this.request, this.snapshot.access.trustedProxies);
  }

  /** How it ends when its client's connection closes: cut by Weir, or left by the client. */
  get outcomeWhenLeft(): Outcome {
    return this.interrupted ? "interrupted" : "client_gone";
  }

  /** A request header as one string, or null. */
  header(name: string): string | null {
    const value = this.request.headers[name];
    return typeof value === "string" ? value : null;
  }
}

/** The value of a stage's product that an earlier stage must have set; its absence is a fault in the stage order. */
export function required<T>(value: T | null, what: string): T {
  if (value === null) throw new Error(`stage order: ${what} is not set`);
  return value;
}
