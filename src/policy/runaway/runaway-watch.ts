import { formatUsd } from "../../core/money.ts";
import { WeirError } from "../../core/weir-error.ts";
import type { Pause, SettledCost } from "./runaway-guard.ts";

/** What the pipeline asks of the guard: told of every settled entry, asked before every exchange. */
export interface RunawayWatch {
  observe(entry: SettledCost): void;
  pauseOf(organizationId: string, sessionId: string): Pause | null;
}

/**
 * Refuses an exchange of a paused session: 403, which no client repeats by itself. The message is for whoever sits at the
 * terminal: what happened, that nothing is lost, and what to do.
 */
export function checkRunaway(watch: RunawayWatch, organizationId: string, sessionId: string | null): void {
  if (sessionId === null) return;
  const pause = watch.pauseOf(organizationId, sessionId);
  if (pause === null) return;
  const minutes = Math.round(pause.windowMs / 60_000);
  const within = minutes === 1 ? "a minute" : `${minutes} minutes`;
  throw new WeirError(
    "weir:session:paused",
    `This session is paused: it spent $${dollars(pause.spentMicroUsd)} within ${within} and usually spends ` +
      `$${dollars(pause.usualMicroUsd)}, as an agent in a loop would. Nothing is lost. If it is meant, ask your ` +
      `administrator to run \`weir session resume ${pause.sessionId}\`; if not, start a new session.`,
  );
}

/** To the cent, which is enough to recognise it. */
function dollars(microUsd: number): string {
  return formatUsd(Math.round(microUsd / 10_000) * 10_000);
}
