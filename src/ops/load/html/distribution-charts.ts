import { formatCount, formatMs, formatShare } from "../display/format.ts";
import { bucketEdgesMs, Histogram } from "../measure/histogram.ts";
import type { LoadReport } from "../report/load-report.ts";
import { chart, durationLabel, path, PLOT, round, shareLabel, type Axis, type EndLabel } from "./chart-frame.ts";
import { markup, type Markup } from "./markup.ts";
import { linearScale, logScale } from "./scale.ts";

type Sparse = NonNullable<LoadReport["histograms"]["latency"]>;

const Y_RANGE = { from: PLOT.bottom, to: PLOT.top + 14 };
const X_RANGE = { from: PLOT.left, to: PLOT.right };
const BINS = 56;
/** Below a microsecond times ten there is nothing to tell apart, and a logarithm needs a bottom. */
const LEAST_MS = 0.01;

/** How often which duration occurred, on a logarithmic axis; an earlier run's as an outline. */
export function distributionChart(title: string, sparse: Sparse, baseline: Sparse | null): Markup {
  const range = spanOf(baseline === null ? [sparse] : [sparse, baseline]);
  const x: Axis = { scale: logScale(range, X_RANGE), label: durationLabel };
  const shares = binned(sparse, range);
  const before = baseline === null ? [] : binned(baseline, range);
  const y: Axis = {
    scale: linearScale(Math.max(...shares, ...before), Y_RANGE),
    label: (share) => shareLabel(share),
  };
  const edge = (bin: number): number => range.from * (range.to / range.from) ** (bin / BINS);
  const bars = shares.map((share, bin) => {
    if (share === 0) return null;
    const [left, right] = [x.scale.at(edge(bin)), x.scale.at(edge(bin + 1))];
    return markup`<rect class="good" x="${round(left + 0.5)}" width="${round(right - left - 1)}" y="${round(y.scale.at(share))}" height="${round(Math.max(0.7, PLOT.bottom - y.scale.at(share)))}"><title>${formatMs(edge(bin))} to ${formatMs(edge(bin + 1))}: ${formatShare(share)}</title></rect>`;
  });
  const outline = before.flatMap((share, bin): [number, number][] => [
    [x.scale.at(edge(bin)), y.scale.at(share)],
    [x.scale.at(edge(bin + 1)), y.scale.at(share)],
  ]);
  return chart({
    title,
    x,
    y,
    layers: [markup`${bars}`, outline.length === 0 ? markup`` : path(outline, "ghost over"), quantileMarks(sparse, x)],
  });
}

/** What share of the requests was at most how slow, spread out towards the slowest. */
export function percentileChart(
  title: string,
  curves: readonly { readonly text: string; readonly style: string; readonly sparse: Sparse }[],
): Markup {
  const range = spanOf(curves.map(({ sparse }) => sparse));
  const most = Math.max(...curves.map(({ sparse }) => total(sparse)));
  const nines = Math.max(1, Math.log10(most));
  const x: Axis = {
    scale: { at: (nine) => X_RANGE.from + (nine / nines) * (X_RANGE.to - X_RANGE.from), ticks: nineTicks(nines) },
    label: (nine) => `${Number(((1 - 10 ** -nine) * 100).toFixed(4))} %`,
  };
  const linear = range.to / range.from < 30;
  const y: Axis = { scale: linear ? linearScale(range.to, Y_RANGE) : logScale(range, Y_RANGE), label: durationLabel };
  const labels: EndLabel[] = [];
  const layers = curves.map(({ text, style, sparse }) => {
    const points = cumulative(sparse).map(([share, ms]): [number, number] => [
      x.scale.at(Math.min(nines, -Math.log10(1 - share))),
      y.scale.at(ms),
    ]);
    labels.push({ text, style: style === "ghost" ? "before" : style, y: points.at(-1)?.[1] ?? PLOT.bottom });
    return path(points, style === "ghost" ? style : `line ${style}`);
  });
  return chart({ title, x, y, layers, endLabels: labels });
}

function quantileMarks(sparse: Sparse, x: Axis): Markup {
  const histogram = Histogram.from(sparse);
  let lastX = -Infinity;
  const marks = (
    [
      ["p50", 0.5],
      ["p95", 0.95],
      ["p99", 0.99],
    ] as const
  ).map(([text, q]) => {
    const value = Math.max(LEAST_MS, histogram.quantileMs(q));
    const at = round(x.scale.at(value));
    // Labels that would cover the one before are left out; the line still stands.
    const room = at - lastX > 26;
    if (room) lastX = at;
    return markup`<line class="mark" x1="${at}" x2="${at}" y1="${PLOT.top + 4}" y2="${PLOT.bottom}"><title>${text}: ${formatMs(value)}</title></line>${room ? markup`<text class="tick" text-anchor="middle" x="${at}" y="${PLOT.top}">${text}</text>` : null}`;
  });
  return markup`${marks}`;
}

/** The shares (0..1) of all durations that lie in each of the bins, which are equally wide on a logarithmic axis. */
function binned({ buckets, counts }: Sparse, { from, to }: { from: number; to: number }): readonly number[] {
  const bins = Array.from({ length: BINS }, () => 0);
  const all = counts.reduce((sum, count) => sum + count, 0);
  for (let i = 0; i < buckets.length; i++) {
    const { fromMs, toMs } = bucketEdgesMs(buckets[i] ?? 0);
    const middle = Math.min(to, Math.max(from, (fromMs + toMs) / 2));
    const bin = Math.min(BINS - 1, Math.floor((Math.log(middle / from) / Math.log(to / from)) * BINS));
    bins[bin] = (bins[bin] ?? 0) + (counts[i] ?? 0) / all;
  }
  return bins;
}

/** Share of the durations up to and including each bucket, with the bucket's middle in ms. */
function cumulative({ buckets, counts, minUs, maxUs }: Sparse): readonly (readonly [share: number, ms: number])[] {
  const all = counts.reduce((sum, count) => sum + count, 0);
  let seen = 0;
  const points: [number, number][] = [[0, Math.max(LEAST_MS, minUs / 1000)]];
  for (let i = 0; i < buckets.length; i++) {
    const { fromMs, toMs } = bucketEdgesMs(buckets[i] ?? 0);
    seen += counts[i] ?? 0;
    points.push([seen / all, Math.max(LEAST_MS, Math.min(maxUs / 1000, (fromMs + toMs) / 2))]);
  }
  return points;
}

function spanOf(all: readonly Sparse[]): { from: number; to: number } {
  const from = Math.max(LEAST_MS, Math.min(...all.map(({ minUs }) => minUs / 1000)) * 0.9);
  return { from, to: Math.max(from * 2, Math.max(...all.map(({ maxUs }) => maxUs / 1000)) * 1.05) };
}

function total({ counts }: Sparse): number {
  return counts.reduce((sum, count) => sum + count, 0);
}

function nineTicks(nines: number): readonly number[] {
  return [0, -Math.log10(0.5), 1, 2, 3, 4, 5].filter((nine) => nine <= nines);
}

/** How many durations a chart rests on, for its caption. */
export function sampleSize(sparse: Sparse): string {
  return formatCount(total(sparse));
}
