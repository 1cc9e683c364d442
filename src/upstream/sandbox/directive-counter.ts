import type { Directive } from "./directive.ts";
import type { Fault } from "./fault.ts";

/** A directive that nobody has sent for so long starts counting afresh, so that a demo can be given again. */
const FORGET_AFTER_MS = 300_000;
const MAX_REMEMBERED = 10_000;

/** Keeps count of the requests that carried a directive with `times`, so that its fault hits only the first ones. */
export class DirectiveCounter {
  readonly #seen = new Map<string, { count: number; lastMs: number }>();

  /** The directive's fault, unless it has hit its `times` already. Counts the request. `nowMs` must not go back. */
  fault(directive: Directive, model: string, nowMs: number): Fault | null {
    if (directive.fault === null || directive.times === null) return directive.fault;
    const key = `${model}\n${directive.text}`;
    const before = this.#seen.get(key);
    const count = before !== undefined && nowMs - before.lastMs < FORGET_AFTER_MS ? before.count + 1 : 1;
    this.#seen.delete(key);
    this.#seen.set(key, { count, lastMs: nowMs });
    this.#forgetOldest();
    return count <= directive.times ? directive.fault : null;
  }

  #forgetOldest(): void {
    if (this.#seen.size <= MAX_REMEMBERED) return;
    for (const oldest of this.#seen.keys()) {
      this.#seen.delete(oldest);
      return;
    }
  }
}
