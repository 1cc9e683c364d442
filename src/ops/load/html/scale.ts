/** A mapping from values to a length, with the values at which to draw a line. */
export interface Scale {
  readonly at: (value: number) => number;
  readonly ticks: readonly number[];
}

interface Span {
  readonly from: number;
  readonly to: number;
}

/** A linear scale from zero to a round number at or above `max`, with about `wanted` ticks. */
export function linearScale(max: number, range: Span, wanted = 4): Scale {
  const step = niceStep(Math.max(max, Number.MIN_VALUE) / wanted);
  const top = Math.max(step, Math.ceil(max / step - 1e-9) * step);
  const ticks = Array.from({ length: Math.round(top / step) + 1 }, (_, i) => Number((i * step).toPrecision(12)));
  return { ticks, at: (value) => range.from + (value / top) * (range.to - range.from) };
}

/** A linear scale that ends exactly at `max`, for axes of time. */
export function timeScale(max: number, range: Span): Scale {
  const steps = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400];
  const step = steps.find((candidate) => max / candidate <= 7) ?? 86_400;
  const ticks = Array.from({ length: Math.floor(max / step) + 1 }, (_, i) => i * step);
  return { ticks, at: (value) => range.from + (value / Math.max(max, 1)) * (range.to - range.from) };
}

/** More ticks than this crowd an axis, fewer than the other leave a reader guessing. */
const MOST_LOG_TICKS = 9;
const FEWEST_LOG_TICKS = 3;

/** A logarithmic scale. Its ticks are at 1, 2 and 5; over many decades only at powers of ten, within one at round steps. */
export function logScale(span: Span, range: Span): Scale {
  const low = Math.log10(span.from);
  const high = Math.max(low + 0.1, Math.log10(span.to));
  const least = span.from;
  return {
    ticks: logTicks({ from: least, to: 10 ** high }),
    at: (value) => range.from + ((Math.log10(Math.max(value, least)) - low) / (high - low)) * (range.to - range.from),
  };
}

function logTicks(span: Span): readonly number[] {
  const ticks = decadeTicks(span, [1, 2, 5]);
  if (ticks.length > MOST_LOG_TICKS) return decadeTicks(span, [1]);
  if (ticks.length >= FEWEST_LOG_TICKS) return ticks;
  const step = niceStep((span.to - span.from) / 5);
  const first = Math.ceil(span.from / step);
  const steps = Math.floor(span.to / step) - first + 1;
  return Array.from({ length: steps }, (_, i) => Number(((first + i) * step).toPrecision(12)));
}

function decadeTicks({ from, to }: Span, digits: readonly number[]): readonly number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const digit of digits) {
      const value = Number((digit * 10 ** power).toPrecision(12));
      if (value >= from * (1 - 1e-9) && value <= to * (1 + 1e-9)) ticks.push(value);
    }
  }
  return ticks;
}

/** The smallest of 1, 2, 2.5, 5 times a power of ten that is at least `step`. */
function niceStep(step: number): number {
  const power = 10 ** Math.floor(Math.log10(step));
  const factor = [1, 2, 2.5, 5, 10].find((candidate) => candidate * power >= step * (1 - 1e-9)) ?? 10;
  return factor * power;
}
