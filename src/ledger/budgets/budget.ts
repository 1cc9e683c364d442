import type { MicroUsd } from "../../core/money.ts";
import type { BudgetWindow } from "../../store/ports/directory.ts";
import type { PayerScope } from "../../store/ports/spend-limits.ts";

/** A temporary increase, in force in [fromMs, untilMs). */
export interface Raise {
  readonly addMicroUsd: MicroUsd;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** The one limit of a subject in a window that is in force, wherever it comes from. */
export interface Budget {
  readonly id: string;
  readonly organizationId: string;
  readonly scope: PayerScope;
  readonly subjectId: string;
  readonly window: BudgetWindow;
  /** Without increases. */
  readonly limitMicroUsd: MicroUsd;
  /** A hard budget refuses, a soft one only alerts. */
  readonly enforcement: "hard" | "soft";
  /** Absent where there is none, which is nearly everywhere: then the limit needs no clock. */
  readonly raises?: readonly Raise[];
}

/** What may be spent in the window as of `atMs`: the limit and the increases that are in force then. */
export function limitAt(budget: Budget, atMs: number): MicroUsd {
  if (budget.raises === undefined) return budget.limitMicroUsd;
  let limit = budget.limitMicroUsd;
  for (const raise of budget.raises) {
    if (raise.fromMs <= atMs && atMs < raise.untilMs) limit += raise.addMicroUsd;
  }
  return limit;
}

/** When the last of the increases that are in force ends; null where none is. */
export function raisedUntil(budget: Budget, atMs: number): number | null {
  let last: number | null = null;
  for (const { fromMs, untilMs } of budget.raises ?? []) {
    if (fromMs <= atMs && atMs < untilMs && untilMs > (last ?? 0)) last = untilMs;
  }
  return last;
}
