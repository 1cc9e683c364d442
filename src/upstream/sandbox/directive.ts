import { invalid } from "./api-error.ts";
import type { CutKind, Fault } from "./fault.ts";

/**
 * A directive steers the answer to one request. It stands in the text of the last user turn, which every client can
 * write and every gateway forwards unchanged:
 *
 *     [[sandbox: cut=7; how=end; times=1]]
 *
 * | key           | meaning                                                                                       |
 * |---------------|-----------------------------------------------------------------------------------------------|
 * | `latency`     | milliseconds to the first byte, instead of the configured latency                              |
 * | `tokens`      | length of the answer's text in tokens                                                          |
 * | `events`      | number of text deltas of the answer; without `tokens` the text has three tokens a delta        |
 * | `delay`       | milliseconds between deltas, instead of the configured speed                                   |
 * | `stop`        | stop reason to report: `end_turn`, `max_tokens`, `pause_turn`, `refusal`, …                    |
 * | `status`      | fault: error answer with this HTTP status; `retry_after` gives seconds                         |
 * | `slow`        | fault: first byte later by so many milliseconds                                                |
 * | `reset`       | fault: connection destroyed before the first byte; write `reset=1`                             |
 * | `cut`         | fault: stream cut after so many events; `how` is `destroy` (default), `end` or `error`         |
 * | `silence`     | fault: nothing sent after so many events; `for` gives milliseconds, without it for ever        |
 * | `times`       | the fault hits only the first so many requests that carry this very directive (so a retry works) |
 * | `model`       | the directive applies only to models whose id contains this (clients make side requests)       |
 *
 * A directive's fault comes before the configured fault rules. The marker is no part of the prompt that is answered.
 */
export interface Directive {
  /** The marker as written; counts for `times` are kept by it. */
  readonly text: string;
  readonly latencyMs: number | null;
  readonly tokens: number | null;
  readonly events: number | null;
  readonly delayMs: number | null;
  readonly stopReason: string | null;
  readonly fault: Fault | null;
  readonly times: number | null;
}

const OPENING = "[[sandbox:";
const MARKER = /\[\[sandbox:([^\]]*)\]\]/g;
const STOP_REASONS = [
  "end_turn",
  "max_tokens",
  "stop_sequence",
  "tool_use",
  "pause_turn",
  "refusal",
  "model_context_window_exceeded",
];
const KEYS = [
  "latency",
  "tokens",
  "events",
  "delay",
  "stop",
  "status",
  "retry_after",
  "slow",
  "reset",
  "cut",
  "how",
  "silence",
  "for",
  "times",
  "model",
] as const;
type Key = (typeof KEYS)[number];

/**
 * The directive of a prompt for `model`; null when it has none or the one it has names another model. Of several the
 * last counts. Throws a 400 ApiError that names what is wrong with it.
 */
export function readDirective(prompt: string, model: string): Directive | null {
  if (!prompt.includes(OPENING)) return null;
  const last = [...prompt.matchAll(MARKER)].at(-1);
  if (last === undefined) return null;
  const pairs = parsePairs(last[1] ?? "");
  const wanted = pairs.get("model");
  if (wanted !== undefined && !model.includes(wanted)) return null;
  return {
    text: last[0],
    latencyMs: count(pairs, "latency"),
    tokens: count(pairs, "tokens"),
    events: count(pairs, "events"),
    delayMs: count(pairs, "delay"),
    stopReason: oneOf(pairs, "stop", STOP_REASONS),
    fault: readFault(pairs),
    times: count(pairs, "times"),
  };
}

/** The prompt without its markers. */
export function withoutDirectives(prompt: string): string {
  return prompt.includes(OPENING) ? prompt.replace(MARKER, "").trim() : prompt;
}

function parsePairs(body: string): Map<Key, string> {
  const pairs = new Map<Key, string>();
  for (const part of body.split(/[;,]/)) {
    if (part.trim() === "") continue;
    const [name = "", value = ""] = part.split("=", 2).map((side) => side.trim());
    const key = KEYS.find((known) => known === name);
    if (key === undefined) throw wrong(`"${name}" is no key; the keys are ${KEYS.join(", ")}`);
    pairs.set(key, value);
  }
  return pairs;
}

function readFault(pairs: Map<Key, string>): Fault | null {
  const status = count(pairs, "status");
  if (status !== null) {
    if (status < 400 || status > 599) throw wrong(`status must be 400 to 599, not ${status}`);
    const retryAfterSeconds = count(pairs, "retry_after");
    return { kind: "status", status, ...(retryAfterSeconds === null ? {} : { retryAfterSeconds }) };
  }
  if (pairs.has("reset")) return { kind: "reset" };
  const cut = count(pairs, "cut");
  if (cut !== null) return { kind: "cut", afterEvents: cut, how: cutKind(pairs) };
  const silence = count(pairs, "silence");
  const durationMs = count(pairs, "for");
  if (silence !== null)
    return { kind: "silence", afterEvents: silence, ...(durationMs === null ? {} : { durationMs }) };
  const slow = count(pairs, "slow");
  return slow === null ? null : { kind: "slow_first_byte", delayMs: slow };
}

function cutKind(pairs: Map<Key, string>): CutKind {
  const how = oneOf(pairs, "how", ["destroy", "end", "error"]);
  return how === "end" || how === "error" ? how : "destroy";
}

function count(pairs: Map<Key, string>, key: Key): number | null {
  const value = pairs.get(key);
  if (value === undefined) return null;
  if (!/^\d{1,7}$/.test(value)) throw wrong(`${key} must be a whole number below 10,000,000, not "${value}"`);
  return Number(value);
}

function oneOf(pairs: Map<Key, string>, key: Key, allowed: readonly string[]): string | null {
  const value = pairs.get(key);
  if (value === undefined) return null;
  if (!allowed.includes(value)) throw wrong(`${key} must be one of ${allowed.join(", ")}, not "${value}"`);
  return value;
}

function wrong(problem: string): Error {
  return invalid(`sandbox directive: ${problem}`);
}
