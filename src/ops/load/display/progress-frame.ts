import type { LoadProgress } from "../progress.ts";
import { formatCount, formatMs, formatRate, formatShare, formatStopwatch } from "./format.ts";

const BARS = "▁▂▃▄▅▆▇█";
/** Every line begins with a label of this width. */
export const LABEL_WIDTH = 12;
const PHASE_NAMES: Readonly<Record<LoadProgress["phase"], string>> = {
  warmup: "warming up",
  measure: "measuring",
  drain: "finishing",
};

/** The lines that show a running test, none longer than `columns`. No colours, no control characters. */
export function progressFrame(progress: LoadProgress, columns: number): readonly string[] {
  const { p50Ms, p99Ms, ttftP50Ms, ttftP99Ms, ok, failed, late, inFlight, perSecond } = progress;
  const ended = ok + failed;
  const share = failed === 0 ? "" : ` (${formatShare(failed / ended)})`;
  const rate = `${formatRate(perSecond)}/s`.padEnd(9);
  const lines = [
    label(PHASE_NAMES[progress.phase]) + barLine(progress, columns - LABEL_WIDTH),
    `${label("requests")}${rate} ${sparkline(progress.recent.slice(-spare(columns)))} ${formatCount(ended)} done, ${formatCount(inFlight)} in flight`,
    label("latency") + pair(p50Ms, p99Ms),
    label("first token") + pair(ttftP50Ms, ttftP99Ms),
    `${label("errors")}${formatCount(failed)}${share}${late > 0 ? `   sent late ${formatCount(late)}` : ""}`,
  ];
  return lines.map((line) => (line.length > columns ? line.slice(0, columns) : line));
}

/** Small columns for a row of numbers, the highest of them full; empty for none. */
export function sparkline(values: readonly number[]): string {
  const top = Math.max(0, ...values);
  return values.map((value) => BARS[top === 0 ? 0 : Math.round((value / top) * (BARS.length - 1))] ?? "").join("");
}

/** One line for a log, where nothing can be redrawn. */
export function progressLine(progress: LoadProgress): string {
  const { phase, elapsedMs, ok, failed, perSecond, p50Ms, p99Ms, inFlight, fraction } = progress;
  if (phase === "warmup") return `${PHASE_NAMES.warmup}, ${formatCount(inFlight)} in flight`;
  const parts = [
    `${formatStopwatch(elapsedMs)} ${PHASE_NAMES[phase]} ${Math.floor(fraction * 100)} %`,
    `${formatCount(ok + failed)} done`,
    `${formatRate(perSecond)}/s`,
    `p50 ${p50Ms === null ? "–" : formatMs(p50Ms)}`,
    `p99 ${p99Ms === null ? "–" : formatMs(p99Ms)}`,
    `${formatCount(failed)} failed`,
    `${formatCount(inFlight)} in flight`,
  ];
  return parts.join(", ");
}

function barLine({ fraction, elapsedMs, etaMs, phase }: LoadProgress, width: number): string {
  if (phase === "warmup") return "not counted yet";
  const times =
    etaMs === null ? formatStopwatch(elapsedMs) : `${formatStopwatch(elapsedMs)}, ${formatStopwatch(etaMs)} left`;
  const tail = ` ${String(Math.floor(fraction * 100)).padStart(3)} %  ${times}`;
  const room = Math.max(8, Math.min(40, width - tail.length));
  const filled = Math.round(fraction * room);
  return "█".repeat(filled) + "░".repeat(room - filled) + tail;
}

function spare(columns: number): number {
  return Math.max(8, Math.min(40, columns - LABEL_WIDTH - 40));
}

function pair(p50Ms: number | null, p99Ms: number | null): string {
  if (p50Ms === null || p99Ms === null) return "–";
  return `${`p50 ${formatMs(p50Ms)}`.padEnd(16)} p99 ${formatMs(p99Ms)}`;
}

function label(text: string): string {
  return text.padEnd(LABEL_WIDTH);
}
