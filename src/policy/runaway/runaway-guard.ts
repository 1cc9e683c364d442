import { QuantileSketch } from "../../core/quantile-sketch.ts";
import type { Entry } from "../../message/entry.ts";

/** When a session is taken for a runaway. Money is micro-dollars. */
export interface RunawaySettings {
  readonly enabled: boolean;
  /** Length of the window in which spending is measured, milliseconds. */
  readonly windowMs: number;
  /** A session that spends less than this in a window is never paused, however fast it grew. */
  readonly floorMicroUsd: number;
  /** How many times its own usual window a session may spend in one. */
  readonly ownFactor: number;
  /** How many times the dearest usual window of its organisation a session may spend in one. */
  readonly organizationFactor: number;
  /** Windows with spending that a session must have behind it before it has a usual one. */
  readonly leastWindows: number;
}

/** What the guard reads of a settled entry. */
export type SettledCost = Pick<Entry, "organizationId" | "sessionId" | "costMicroUsd" | "settledAtMs">;

/** Why a session is paused. */
export interface Pause {
  readonly organizationId: string;
  readonly sessionId: string;
  readonly atMs: number;
  /** What it spent in the window, and what it usually spends in one. */
  readonly spentMicroUsd: number;
  readonly usualMicroUsd: number;
  readonly windowMs: number;
}

/** Windows of a session that are remembered: those with spending, so that a pause for lunch forgets nothing. */
const REMEMBERED = 24;
/** Which of its windows is a session's usual one: dearer than most, so that ordinary bursts are part of it. */
const OWN_QUANTILE = 0.75;
const ORGANIZATION_QUANTILE = 0.99;
/** Windows of an organisation from which its usual one is known. */
const LEAST_EVIDENCE = 50;
/** Sessions kept in mind. Whoever adds one beyond it loses the one of its organisation that was quiet for the longest. */
const MAX_SESSIONS = 20_000;

interface Organization {
  readonly id: string;
  readonly sessions: Map<string, Session>;
  /** Windows with spending, of all its sessions. */
  readonly windows: QuantileSketch;
  readonly paused: Map<string, Pause>;
}

interface Session {
  /** Number of the window that `current` sums. */
  window: number;
  current: number;
  /** What the window before `window` summed up to; 0 when it had no spending. */
  previous: number;
  /** Sums of past windows with spending, a ring. */
  readonly past: Float64Array;
  count: number;
}

/**
 * Finds sessions that run away: an agent in a loop, a retry storm, a prompt that feeds itself. Told of every settled cost;
 * decides by data and the given time alone. Memory is bounded: some 300 bytes for each of at most 20,000 sessions.
 *
 * Spent is what a session spent in the window that ends now (the running window, and of the one before it the part that is
 * not over yet). It is paused when all of these hold:
 *
 * - spent > floor: money that is worth stopping somebody for;
 * - spent > ownFactor × the upper quartile of its own windows, of which there must be `leastWindows`. A quartile, and of
 *   windows with spending only: neither one burst nor an idle hour moves it. A steady session is within 3 times of it
 *   (windows cut a steady stream unevenly), and one that has just become 20 times as fast is at 15 times within one window;
 * - spent > organizationFactor × the 99th percentile of all windows of its organisation, once 50 are known: what others do
 *   all day is no loop.
 *
 * A session that burns from its first minute has no history to burn faster than; budgets are for that.
 */
export class RunawayGuard {
  readonly #organizations = new Map<string, Organization>();
  #settings: RunawaySettings;
  #sessionCount = 0;

  constructor(settings: RunawaySettings) {
    this.#settings = settings;
  }

  configure(settings: RunawaySettings): void {
    // Windows of another length cannot be compared.
    if (settings.windowMs !== this.#settings.windowMs) this.#forgetHistory();
    this.#settings = settings;
  }

  /** The pause that a session is under; null when it may go on. Null also while the guard is off. */
  pauseOf(organizationId: string, sessionId: string): Pause | null {
    if (!this.#settings.enabled) return null;
    return this.#organizations.get(organizationId)?.paused.get(sessionId) ?? null;
  }

  /** Takes a settled cost in; returns the pause when it is this cost that brings one about. */
  observe(entry: SettledCost): Pause | null {
    const { enabled, windowMs } = this.#settings;
    const { sessionId, costMicroUsd, settledAtMs } = entry;
    if (!enabled || sessionId === null || costMicroUsd <= 0) return null;
    const organization = this.#organizationOf(entry.organizationId);
    const window = Math.floor(settledAtMs / windowMs);
    const session = this.#sessionOf(organization, sessionId, window);
    turn(organization, session, window);
    session.current += costMicroUsd;
    if (organization.paused.has(sessionId)) return null;
    const over = (settledAtMs % windowMs) / windowMs;
    const spent = session.current + session.previous * (1 - over);
    if (!this.#isRunaway(organization, session, spent)) return null;
    const pause = {
      organizationId: organization.id,
      sessionId,
      atMs: settledAtMs,
      spentMicroUsd: Math.round(spent),
      usualMicroUsd: Math.round(usualOf(session)),
      windowMs,
    };
    organization.paused.set(sessionId, pause);
    return pause;
  }

  /** Puts a session under a pause that another process, or this one before it restarted, has found. */
  pause(pause: Pause): void {
    this.#organizationOf(pause.organizationId).paused.set(pause.sessionId, pause);
  }

  /** Lets a session go on. What it did before is forgotten: it is judged again once it has a history again. */
  resume(organizationId: string, sessionId: string): void {
    const organization = this.#organizations.get(organizationId);
    if (organization?.paused.delete(sessionId) !== true) return;
    if (organization.sessions.delete(sessionId)) this.#sessionCount -= 1;
  }

  /** The pauses in force. */
  pauses(): readonly Pause[] {
    return [...this.#organizations.values()].flatMap(({ paused }) => [...paused.values()]);
  }

  #isRunaway(organization: Organization, session: Session, spent: number): boolean {
    const { floorMicroUsd, ownFactor, organizationFactor, leastWindows } = this.#settings;
    // Cheapest first: this is all that nearly every exchange costs.
    if (spent <= floorMicroUsd || session.count < leastWindows) return false;
    if (spent <= ownFactor * usualOf(session)) return false;
    const { windows } = organization;
    return windows.weight < LEAST_EVIDENCE || spent > organizationFactor * windows.quantile(ORGANIZATION_QUANTILE);
  }

  #organizationOf(id: string): Organization {
    let organization = this.#organizations.get(id);
    if (organization === undefined) {
      organization = { id, sessions: new Map(), windows: new QuantileSketch(), paused: new Map() };
      this.#organizations.set(id, organization);
    }
    return organization;
  }

  #sessionOf({ sessions }: Organization, sessionId: string, window: number): Session {
    const known = sessions.get(sessionId);
    if (known !== undefined) {
      // Maps keep the order of insertion: what was used last stands last.
      if (window > known.window) {
        sessions.delete(sessionId);
        sessions.set(sessionId, known);
      }
      return known;
    }
    const session = { window, current: 0, previous: 0, past: new Float64Array(REMEMBERED), count: 0 };
    sessions.set(sessionId, session);
    this.#sessionCount += 1;
    if (this.#sessionCount > MAX_SESSIONS) this.#forgetOldest(sessions);
    return session;
  }

  /** Of the organisation that added one, so that no organisation makes another forget; of any where it has no other. */
  #forgetOldest(own: Map<string, Session>): void {
    const others = [...this.#organizations.values()].map(({ sessions }) => sessions);
    const sessions = own.size > 1 ? own : others.find(({ size }) => size > 1);
    for (const oldest of sessions?.keys() ?? []) {
      sessions?.delete(oldest);
      this.#sessionCount -= 1;
      return;
    }
  }

  #forgetHistory(): void {
    for (const [id, { paused }] of this.#organizations) {
      this.#organizations.set(id, { id, sessions: new Map(), windows: new QuantileSketch(), paused });
    }
    this.#sessionCount = 0;
  }
}

/** Closes the running window when another has begun. Time that goes back stays in the running one. */
function turn({ windows }: Organization, session: Session, window: number): void {
  if (window <= session.window) return;
  if (session.current > 0) {
    session.past[session.count % REMEMBERED] = session.current;
    session.count += 1;
    windows.add(session.current);
  }
  session.previous = window === session.window + 1 ? session.current : 0;
  session.current = 0;
  session.window = window;
}

/** The upper quartile of the windows that a session remembers. */
function usualOf({ past, count }: Session): number {
  const known = past.slice(0, Math.min(count, REMEMBERED)).sort();
  return known[Math.floor((known.length - 1) * OWN_QUANTILE)] ?? 0;
}
