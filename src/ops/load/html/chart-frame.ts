import { significant } from "../display/format.ts";
import { markup, type Markup } from "./markup.ts";
import type { Scale } from "./scale.ts";

/** Size of every chart in its own units, about the pixels that it gets in two columns. */
const WIDTH = 560;
const HEIGHT = 224;
/** The area that data is drawn in. */
export const PLOT = { left: 52, right: WIDTH - 46, top: 12, bottom: HEIGHT - 26 } as const;
const LABEL_GAP = 12;

export interface Axis {
  readonly scale: Scale;
  readonly label: (value: number) => string;
}

interface ChartOptions {
  /** Says what the chart shows, for those who cannot see it. */
  readonly title: string;
  readonly x: Axis;
  readonly y: Axis;
  /** From back to front. */
  readonly layers: readonly Markup[];
  /** Written at the right edge, beside the lines that they name. */
  readonly endLabels?: readonly EndLabel[];
}

export interface EndLabel {
  readonly text: string;
  readonly y: number;
  readonly style: string;
}

/** A chart with its grid and axes. */
export function chart({ title, x, y, layers, endLabels = [] }: ChartOptions): Markup {
  return markup`<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img" aria-label="${title}">${horizontalLines(y)}${ticksBelow(x)}${layers}${spread(
    endLabels,
  ).map(
    ({ text, y: at, style }) =>
      markup`<text class="end ${style}" x="${PLOT.right + 6}" y="${round(at + 3.5)}">${text}</text>`,
  )}</svg>`;
}

/** A line through points; where `y` is null the line is broken. Lone points become dots. */
export function path(points: readonly (readonly [x: number, y: number | null])[], style: string): Markup {
  let d = "";
  let pen = false;
  for (const [x, y] of points) {
    if (y !== null) d += `${pen ? "L" : "M"}${round(x)} ${round(y)}${pen ? "" : "h0"}`;
    pen = y !== null;
  }
  return markup`<path class="${style}" d="${d}"/>`;
}

/** Durations on an axis: `250 ms`, `1.5 s`, `40 µs`. */
export function durationLabel(valueMs: number): string {
  if (valueMs === 0) return "0";
  if (valueMs < 1) return `${trimmed(valueMs * 1000)} µs`;
  return valueMs >= 1000 ? `${trimmed(valueMs / 1000)} s` : `${trimmed(valueMs)} ms`;
}

/** Seconds on an axis of time: `30 s`, `5 min`, `2 h`. */
export function timeLabel(seconds: number): string {
  if (seconds === 0) return "0";
  if (seconds % 3600 === 0) return `${seconds / 3600} h`;
  return seconds % 60 === 0 ? `${seconds / 60} min` : `${seconds} s`;
}

/** Counts and rates on an axis: `0`, `250`, `12k`. */
export function numberLabel(value: number): string {
  return value >= 10_000 ? `${trimmed(value / 1000)}k` : trimmed(value);
}

/** Shares (0..1) on an axis: `5 %`, `0.5 %`. */
export function shareLabel(share: number): string {
  return `${trimmed(Number((share * 100).toPrecision(6)))} %`;
}

/** Coordinates need no more than a tenth. */
export function round(value: number): number {
  return Math.round(value * 10) / 10;
}

function trimmed(value: number): string {
  return Number.isInteger(value) ? String(value) : significant(value).replace(/\.?0+$/, "");
}

function horizontalLines({ scale, label }: Axis): readonly Markup[] {
  return scale.ticks.map((tick) => {
    const y = round(scale.at(tick));
    return markup`<line class="grid" x1="${PLOT.left}" x2="${PLOT.right}" y1="${y}" y2="${y}"/><text class="tick" text-anchor="end" x="${PLOT.left - 7}" y="${y + 3.5}">${label(tick)}</text>`;
  });
}

function ticksBelow({ scale, label }: Axis): readonly Markup[] {
  return scale.ticks.map((tick) => {
    const x = round(scale.at(tick));
    return markup`<line class="grid" x1="${x}" x2="${x}" y1="${PLOT.bottom}" y2="${PLOT.bottom + 4}"/><text class="tick" text-anchor="middle" x="${x}" y="${PLOT.bottom + 17}">${label(tick)}</text>`;
  });
}

/** Moves labels apart that would cover each other, keeping their order. */
function spread(labels: readonly EndLabel[]): readonly EndLabel[] {
  const placed: EndLabel[] = [];
  for (const label of [...labels].sort((a, b) => a.y - b.y)) {
    const above = placed.at(-1);
    placed.push(above === undefined ? label : { ...label, y: Math.max(label.y, above.y + LABEL_GAP) });
  }
  const over = (placed.at(-1)?.y ?? 0) - PLOT.bottom;
  return over > 0 ? placed.map((label) => ({ ...label, y: label.y - over })) : placed;
}
