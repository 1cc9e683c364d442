import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { SessionPauseRecord, SessionPauseStore } from "./session-pauses.ts";

const PAUSE: SessionPauseRecord = {
  organizationId: "org_acme",
  sessionId: "ses_1",
  atMs: Date.UTC(2026, 10, 20, 12),
  spentMicroUsd: 25_000_000,
  usualMicroUsd: 1_000_000,
  windowMs: 300_000,
};

/** What every SessionPauseStore does. `open` gives an empty one. */
export function sessionPausesContract(
  open: () => Promise<{ store: SessionPauseStore; close: () => Promise<void> }>,
): void {
  describe("a store of paused sessions", () => {
    let store: SessionPauseStore;
    let close = async (): Promise<void> => {};

    beforeEach(async () => {
      ({ store, close } = await open());
    });
    afterEach(async () => {
      await close();
    });

    it("gives back what is in force, of one organisation or of all", async () => {
      const other = { ...PAUSE, organizationId: "org_other", atMs: PAUSE.atMs + 1 };
      await store.put(PAUSE);
      await store.put(other);
      expect(await store.active()).toEqual([PAUSE, other]);
      expect(await store.active("org_other")).toEqual([other]);
    });

    it("keeps the first of two pauses of the same session", async () => {
      await store.put(PAUSE);
      await store.put({ ...PAUSE, atMs: PAUSE.atMs + 5, spentMicroUsd: 1 });
      expect(await store.active("org_acme")).toEqual([PAUSE]);
    });

    it("ends a pause once, and only in its organisation", async () => {
      await store.put(PAUSE);
      const by = { actor: "cli:ada", atMs: PAUSE.atMs + 10 };
      expect(await store.resume("org_other", "ses_1", by)).toBeNull();
      expect(await store.resume("org_acme", "ses_1", by)).toEqual(PAUSE);
      expect(await store.resume("org_acme", "ses_1", by)).toBeNull();
      expect(await store.active()).toEqual([]);
    });

    it("pauses a session anew after it was resumed", async () => {
      await store.put(PAUSE);
      await store.resume("org_acme", "ses_1", { actor: "cli:ada", atMs: PAUSE.atMs + 10 });
      const again = { ...PAUSE, atMs: PAUSE.atMs + 20 };
      await store.put(again);
      expect(await store.active()).toEqual([again]);
    });
  });
}
