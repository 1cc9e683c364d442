/** A session that was stopped because it burnt money faster than its history explains. */
export interface SessionPauseRecord {
  readonly organizationId: string;
  readonly sessionId: string;
  readonly atMs: number;
  /** What it spent in the window before the pause, and what it usually spends in one: micro-dollars. */
  readonly spentMicroUsd: number;
  readonly usualMicroUsd: number;
  readonly windowMs: number;
}

/** Pauses outlive the process and hold on every replica. */
export interface SessionPauseStore {
  /** Stores a pause; one that is there already, and not resumed, stays as it is. */
  put(pause: SessionPauseRecord): Promise<void>;
  /** All pauses in force, for the gateways: of every organisation, or of one. Oldest first. */
  active(organizationId?: string): Promise<readonly SessionPauseRecord[]>;
  /** Ends a pause. Returns it, or null when the session is not paused. */
  resume(
    organizationId: string,
    sessionId: string,
    by: { actor: string; atMs: number },
  ): Promise<SessionPauseRecord | null>;
}
