import type { Urgency } from "../plan.ts";

/** Why a request is refused. */
export type ShedReason =
  /** Too many of its organisation, or of all, wait already. */
  | "organization_queue_full"
  | "queue_full"
  /** By its deadline it could not have begun. */
  | "deadline"
  /** It has waited as long as anyone may. */
  | "waited_too_long"
  /** The queue stands: batch requests are not even queued. */
  | "batch_while_overloaded"
  /** An interactive request needed its place in the queue. */
  | "displaced";

export interface Shed {
  readonly kind: "shed";
  readonly reason: ShedReason;
  /** When a repeat has a chance; becomes `retry-after` of a 529. */
  readonly retryAfterMs: number;
}

/**
 * A request at the gate. The methods are called at most once in all, never from within `enter`, and only if it answered
 * `queued`. (An object with methods and not two functions: nothing on an exchange should hold a closure, see ADR 0011.)
 */
export interface OverloadRequest {
  readonly organization: string;
  readonly urgency: Urgency;
  /** Monotonic; Infinity when it does not matter when it begins. */
  readonly deadlineAtMs: number;
  admitted(waitedMs: number): void;
  shed(shed: Shed): void;
}

/** What `enter` says. A ticket is given up by `cancel` when the client leaves. */
export type Entrance = { readonly kind: "admitted" } | { readonly kind: "queued"; readonly ticket: Ticket } | Shed;

/** A place in the queue. */
export class Ticket {
  readonly request: OverloadRequest;
  readonly enteredAtMs: number;
  isWaiting = true;

  constructor(request: OverloadRequest, enteredAtMs: number) {
    this.request = request;
    this.enteredAtMs = enteredAtMs;
  }
}

const SHED_WORDS: Readonly<Record<ShedReason, string>> = {
  organization_queue_full: "too many requests of your organization are waiting already",
  queue_full: "too many requests are waiting already",
  deadline: "it could not have begun in time",
  waited_too_long: "it has waited too long for a free place",
  batch_while_overloaded: "batch requests are refused while there is a standing queue",
  displaced: "interactive requests needed its place in the queue",
};

/** Why, as a clause for the error message. */
export function shedWords(reason: ShedReason): string {
  return SHED_WORDS[reason];
}
