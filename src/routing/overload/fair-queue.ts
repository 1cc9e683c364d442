import { OrganizationLane } from "./organization-lane.ts";
import type { Ticket } from "./overload-request.ts";

/**
 * Waiting requests of one urgency, served organisation by organisation: each has one turn in a round, however many of its
 * requests wait, so that nobody's flood delays another's single request by more than one turn.
 */
export class FairQueue {
  /** Those with somebody waiting, in the order of their turns. */
  readonly #round: OrganizationLane[] = [];
  readonly #lanes = new Map<string, OrganizationLane>();
  #size = 0;

  /** How many wait. */
  get size(): number {
    return this.#size;
  }

  get organizations(): number {
    return this.#round.length;
  }

  waitingOf(organization: string): number {
    return this.#lanes.get(organization)?.size ?? 0;
  }

  push(ticket: Ticket): void {
    const { organization } = ticket.request;
    let lane = this.#lanes.get(organization);
    if (lane === undefined) {
      lane = new OrganizationLane(organization);
      this.#lanes.set(organization, lane);
      this.#round.push(lane);
    }
    lane.push(ticket);
    this.#size++;
  }

  /** Takes the next in turn; null when nobody waits. `newestFirst` within its organisation. */
  take(newestFirst: boolean): Ticket | null {
    const lane = this.#round.shift();
    if (lane === undefined) return null;
    const ticket = lane.take(newestFirst);
    if (ticket !== null) this.#size--;
    if (lane.size > 0) this.#round.push(lane);
    else this.#lanes.delete(lane.organization);
    return ticket ?? this.take(newestFirst);
  }

  /** Takes the newest of the organisation with the most waiting, to make room; null when nobody waits. */
  takeFromLongest(): Ticket | null {
    let longest: OrganizationLane | null = null;
    for (const lane of this.#round) if (longest === null || lane.size > longest.size) longest = lane;
    const ticket = longest?.take(true) ?? null;
    if (ticket === null || longest === null) return null;
    this.#size--;
    this.#forgetIfEmpty(longest);
    return ticket;
  }

  /** Takes a ticket out of its place. It must stand in this queue. */
  drop(ticket: Ticket): void {
    const lane = this.#lanes.get(ticket.request.organization);
    if (lane === undefined) return;
    ticket.isWaiting = false;
    lane.dropped();
    this.#size--;
    this.#forgetIfEmpty(lane);
  }

  /** The one that came first of all; null when nobody waits. */
  oldest(): Ticket | null {
    let oldest: Ticket | null = null;
    for (const lane of this.#round) {
      const ticket = lane.oldest();
      if (ticket !== null && (oldest === null || ticket.enteredAtMs < oldest.enteredAtMs)) oldest = ticket;
    }
    return oldest;
  }

  /** Those that wait, at this moment: a copy, so that they may be dropped meanwhile. */
  all(): readonly Ticket[] {
    return this.#round.flatMap((lane) => [...lane]);
  }

  #forgetIfEmpty(lane: OrganizationLane): void {
    if (lane.size > 0) return;
    this.#lanes.delete(lane.organization);
    this.#round.splice(this.#round.indexOf(lane), 1);
  }
}
