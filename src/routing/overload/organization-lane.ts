import type { Ticket } from "./overload-request.ts";

/** One organisation's waiting requests, oldest first. What has been given up stays in the list until its end is reached. */
export class OrganizationLane {
  readonly organization: string;
  #tickets: Ticket[] = [];
  #head = 0;
  #waiting = 0;

  constructor(organization: string) {
    this.organization = organization;
  }

  /** How many wait. */
  get size(): number {
    return this.#waiting;
  }

  push(ticket: Ticket): void {
    this.#tickets.push(ticket);
    this.#waiting++;
  }

  /** Takes the oldest, or the newest; null when nobody waits. */
  take(newestFirst: boolean): Ticket | null {
    for (;;) {
      const ticket = newestFirst ? this.#tickets.pop() : this.#shift();
      if (ticket === undefined || this.#waiting === 0) return this.#reset();
      if (!ticket.isWaiting) continue;
      this.#waiting--;
      return ticket;
    }
  }

  /** A ticket that stands in this lane no longer waits. */
  dropped(): void {
    this.#waiting--;
    // Clients that come and go while nobody is served must not make the list grow.
    if (this.#tickets.length - this.#head > 2 * this.#waiting + 32) {
      this.#tickets = this.#tickets.slice(this.#head).filter(({ isWaiting }) => isWaiting);
      this.#head = 0;
    }
  }

  /** The oldest that waits, where it is; null when nobody does. */
  oldest(): Ticket | null {
    for (let i = this.#head; i < this.#tickets.length; i++) {
      const ticket = this.#tickets[i];
      if (ticket?.isWaiting === true) return ticket;
    }
    return null;
  }

  /** Those that wait, oldest first. */
  *[Symbol.iterator](): Iterator<Ticket> {
    for (const ticket of this.#tickets.slice(this.#head)) if (ticket.isWaiting) yield ticket;
  }

  #shift(): Ticket | undefined {
    if (this.#head >= this.#tickets.length) return undefined;
    const ticket = this.#tickets[this.#head++];
    if (this.#head > 64 && this.#head * 2 > this.#tickets.length) {
      this.#tickets = this.#tickets.slice(this.#head);
      this.#head = 0;
    }
    return ticket;
  }

  #reset(): null {
    this.#tickets = [];
    this.#head = 0;
    return null;
  }
}
