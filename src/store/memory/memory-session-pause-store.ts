import type { SessionPauseRecord, SessionPauseStore } from "../ports/session-pauses.ts";

/** Paused sessions in this process's memory: for tests and for running without a database. */
export class MemorySessionPauseStore implements SessionPauseStore {
  readonly #active = new Map<string, SessionPauseRecord>();

  async put(pause: SessionPauseRecord): Promise<void> {
    const id = idOf(pause.organizationId, pause.sessionId);
    if (!this.#active.has(id)) this.#active.set(id, { ...pause });
  }

  async active(organizationId?: string): Promise<readonly SessionPauseRecord[]> {
    return [...this.#active.values()]
      .filter((pause) => organizationId === undefined || pause.organizationId === organizationId)
      .sort((a, b) => a.atMs - b.atMs);
  }

  async resume(organizationId: string, sessionId: string): Promise<SessionPauseRecord | null> {
    const id = idOf(organizationId, sessionId);
    const pause = this.#active.get(id) ?? null;
    this.#active.delete(id);
    return pause;
  }
}

function idOf(organizationId: string, sessionId: string): string {
  return JSON.stringify([organizationId, sessionId]);
}
