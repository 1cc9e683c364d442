import { hash, timingSafeEqual } from "node:crypto";

import { z } from "zod";

import type { SealedBox } from "../tokens/sealed-box.ts";

const stateSchema = z.object({
  device: z.string(),
  code: z.string(),
  provider: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  browser: z.string(),
  untilMs: z.number(),
});

/** What Weir has to know again when the browser comes back from the provider. */
export type BrowserState = Omit<z.output<typeof stateSchema>, "browser" | "untilMs">;

const STATE_LIFE_MS = 600_000;

/** The `state` of a sign-in: sealed, for one browser, for ten minutes. Nothing is stored, so any replica takes it. */
export function sealState(box: SealedBox, state: BrowserState, given: { browser: string; nowMs: number }): string {
  const { browser, nowMs } = given;
  return box.seal(JSON.stringify({ ...state, browser: digest(browser), untilMs: nowMs + STATE_LIFE_MS }));
}

/** What was sealed; `expired` when it is not Weir's or too old, `other_browser` when another one began. */
export function openState(
  box: SealedBox,
  sealed: string,
  given: { browser: string | null; nowMs: number },
): BrowserState | "expired" | "other_browser" {
  const opened = box.open(sealed);
  const parsed = stateSchema.safeParse(opened === null ? null : JSON.parse(opened));
  if (!parsed.success || given.nowMs >= parsed.data.untilMs) return "expired";
  const { browser, untilMs: _, ...state } = parsed.data;
  if (given.browser === null || !sameText(digest(given.browser), browser)) return "other_browser";
  return state;
}

/** The token that a form of Weir's own page carries, for the browser with this cookie. */
export function formToken(box: SealedBox, browser: string): string {
  return box.seal(digest(browser));
}

export function isFormToken(box: SealedBox, token: string, browser: string): boolean {
  const opened = box.open(token);
  return opened !== null && sameText(opened, digest(browser));
}

function digest(browser: string): string {
  return hash("sha256", browser, "base64url");
}

function sameText(a: string, b: string): boolean {
  return a.length === b.length && timingSafeEqual(Buffer.from(a), Buffer.from(b));
}
