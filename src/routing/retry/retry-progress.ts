import type { PlannedTarget } from "../plan.ts";

/** How far an exchange has come with its attempts. One for each exchange; written by `Router.nextStep`. */
export class RetryProgress {
  current: PlannedTarget;
  /** Attempts made, the one under way included. */
  attempts = 1;
  /** Repeats at the current target. */
  sameTargetRetries = 0;
  /** Those that have been tried, the current one included. */
  readonly tried: PlannedTarget[];

  constructor(first: PlannedTarget) {
    this.current = first;
    this.tried = [first];
  }

  repeats(): void {
    this.attempts++;
    this.sameTargetRetries++;
  }

  movesTo(target: PlannedTarget): void {
    this.attempts++;
    this.sameTargetRetries = 0;
    this.current = target;
    this.tried.push(target);
  }

  hasTried(target: PlannedTarget): boolean {
    return this.tried.some(({ target: { key } }) => key === target.target.key);
  }
}
