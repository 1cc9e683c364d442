import type { Random } from "../random.ts";
import type { ReasonToken } from "../reason.ts";
import type { ResponseTimeSettings } from "../settings.ts";
import type { Candidate } from "./candidate.ts";
import type { Distances } from "./distances.ts";
import type { StrategyName } from "./strategy-name.ts";

/** What a strategy may look at besides the candidates. */
export interface BalanceContext {
  readonly nowMs: number;
  readonly random: Random;
  readonly clientRegion: string | null;
  /** Tokens of the whole prompt and of the answer, as expected. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Where the session's prompt cache is warm, and how much of it; null where none is. */
  readonly warmKey: string | null;
  readonly warmTokens: number;
  readonly warmFor: "5m" | "1h";
  readonly responseTime: ResponseTimeSettings;
  readonly distances: Distances;
}

/** One way of sharing requests among targets that can all serve them. Without state of its own. */
export interface Balancer {
  readonly name: StrategyName;
  /** Why the first stands first, in the response header. */
  readonly token: ReasonToken;
  /** Puts the candidates into order in place, best first. Leaves no trace: see `chosen`. */
  arrange(candidates: Candidate[], context: BalanceContext): void;
  /** Told which of the arranged candidates is tried first in the end; null when the strategy keeps no memory. */
  readonly chosen: ((candidates: readonly Candidate[], first: Candidate) => void) | null;
  /**
   * Whether the order is by something that a smaller share does not change, so that a recovering target has to be held back by
   * lot.
   */
  readonly ignoresShare: boolean;
  /** Why a candidate stands where it does, in words. After `arrange`, with the same context. */
  explain(candidate: Candidate, context: BalanceContext): string;
}
