/**
 * What the month will have cost at its end: what was spent, and for each day to come a level times a factor of its weekday.
 *
 * - Weekday factors: median of (day ÷ mean of the seven days around it) over up to eight weeks, shrunk towards 1 while there
 *   are few weeks: (n·median + 2) ÷ (n + 2). Medians, so that one release night is no Tuesday for ever.
 * - Level: the mean of the last 14 and that of the last 28 days, averaged, each day divided by its factor and counted as at
 *   most six usual (median) days. A mean and not a median: bursts come again, and a sum has to contain them.
 * - Interval, 90 %: three independent errors. Single days differ (the residuals' deviation × √days), the level is not known
 *   exactly (its standard error × days), and it may drift on (the difference between the last two fortnights, drawn out
 *   over the days to come).
 *
 * A trend widens the interval and does not move the middle: a fortnight's growth drawn out to the end of the month is the
 * commonest way to be badly wrong. Back-tested on made-up months in forecast.test.ts.
 */

/** Days before today that there must be to say anything. */
export const LEAST_DAYS = 7;
/** Days before today that the method looks at; more are not used. */
export const MOST_DAYS = 56;
const FORTNIGHT = 14;
const LEVEL_DAYS = 2 * FORTNIGHT;
/** Two-sided 90 % of Student's distribution with 14 degrees of freedom: the deviation is itself an estimate. */
const T_90 = 1.761;
/** As how many usual days one day may count. */
const LARGEST_DAY = 6;
const SHRINK_WEEKS = 2;

/** One day's cost. */
export interface DailyCost {
  /** ISO date. */
  readonly day: string;
  readonly costMicroUsd: number;
}

export interface Forecast {
  /** Spent this month until now. */
  readonly spentMicroUsd: number;
  /** What the month is expected to have cost at its end, and the interval in which it lies 9 times of 10. */
  readonly expectedMicroUsd: number;
  readonly lowMicroUsd: number;
  readonly highMicroUsd: number;
  /** Whole days that the forecast rests on. */
  readonly basisDays: number;
  /** Days to come, today's rest included, each with what it is expected to cost. */
  readonly days: readonly DailyCost[];
}

export interface ForecastInput {
  /** Days before today, oldest first, one behind the other; those without usage with 0. */
  readonly past: readonly DailyCost[];
  readonly today: DailyCost;
  /** How much of today has passed, 0..1. */
  readonly todayShare: number;
}

/** The forecast to the end of today's month; null when there are fewer than seven days before today. */
export function forecastMonth({ past, today, todayShare }: ForecastInput): Forecast | null {
  const history = past.slice(-MOST_DAYS);
  if (history.length < LEAST_DAYS) return null;
  const date = Temporal.PlainDate.from(today.day);
  const sinceFirst = past.filter(({ day }) => day.slice(0, 7) === today.day.slice(0, 7));
  const spentMicroUsd = total(sinceFirst) + today.costMicroUsd;
  const model = fit(history);
  // What today has shown already counts as it is; its rest is expected as for any such day.
  const ahead: DailyCost[] = [];
  for (let day = date.day; day <= date.daysInMonth; day++) {
    const at = date.with({ day });
    const whole = model.level * factorOf(model, at.toString());
    const share = day === date.day ? 1 - Math.min(1, Math.max(0, todayShare)) : 1;
    ahead.push({ day: at.toString(), costMicroUsd: Math.round(whole * share) });
  }
  const effectiveDays = ahead.length - 1 + (1 - todayShare);
  const spread = T_90 * spreadOver(history, model, effectiveDays);
  const expected = spentMicroUsd + total(ahead);
  return {
    spentMicroUsd,
    expectedMicroUsd: expected,
    lowMicroUsd: Math.max(spentMicroUsd, Math.round(expected - spread)),
    highMicroUsd: Math.round(expected + spread),
    basisDays: history.length,
    days: ahead,
  };
}

interface Model {
  readonly level: number;
  /** How much the level rose from one fortnight to the next, per day. */
  readonly driftPerDay: number;
  /** By weekday, Monday first. */
  readonly factors: readonly number[];
}

function fit(history: readonly DailyCost[]): Model {
  const factors = weekdayFactors(history);
  const adjusted = history.slice(-LEVEL_DAYS).map((day) => day.costMicroUsd / (factors[weekday(day.day)] ?? 1));
  const usual = median(adjusted);
  // Where most days cost nothing, the rest are what there is.
  const capped = usual === 0 ? adjusted : adjusted.map((cost) => Math.min(cost, LARGEST_DAY * usual));
  const [recent, before] = [mean(capped.slice(-FORTNIGHT)), mean(capped.slice(0, -FORTNIGHT))];
  const driftPerDay = capped.length < LEVEL_DAYS ? 0 : (recent - before) / FORTNIGHT;
  return { level: (recent + mean(capped)) / 2, driftPerDay, factors };
}

function weekdayFactors(history: readonly DailyCost[]): number[] {
  const ratios: number[][] = Array.from({ length: 7 }, () => []);
  for (const [at, { day, costMicroUsd }] of history.entries()) {
    // The week around the day; at the edges the seven days nearest to it.
    const start = Math.min(Math.max(0, at - 3), Math.max(0, history.length - 7));
    const around = total(history.slice(start, start + 7)) / 7;
    if (around > 0) ratios[weekday(day)]?.push(costMicroUsd / around);
  }
  const raw = ratios.map((values) =>
    values.length === 0 ? 1 : (values.length * median(values) + SHRINK_WEEKS) / (values.length + SHRINK_WEEKS),
  );
  const average = mean(raw);
  // A day that never had usage must not make its quotient infinite.
  return raw.map((factor) => Math.max(0.01, factor / average));
}

/** Standard deviation of the sum of `days` days to come. */
function spreadOver(history: readonly DailyCost[], model: Model, days: number): number {
  const recent = history.slice(-LEVEL_DAYS);
  const errors = recent.map((day) => day.costMicroUsd - model.level * factorOf(model, day.day));
  const freedom = Math.max(1, errors.length - 3);
  const deviation = Math.sqrt(errors.reduce((sum, error) => sum + error * error, 0) / freedom);
  const ofDays = deviation * Math.sqrt(days);
  const ofLevel = (deviation / Math.sqrt(errors.length)) * days;
  const ofDrift = Math.abs(model.driftPerDay) * days * (FORTNIGHT / 2 + days / 2);
  return Math.hypot(ofDays, ofLevel, ofDrift);
}

function factorOf({ factors }: Model, day: string): number {
  return factors[weekday(day)] ?? 1;
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? 0) : ((sorted[middle - 1] ?? 0) + (sorted[middle] ?? 0)) / 2;
}

function total(days: readonly DailyCost[]): number {
  return days.reduce((sum, { costMicroUsd }) => sum + costMicroUsd, 0);
}

function weekday(day: string): number {
  return Temporal.PlainDate.from(day).dayOfWeek - 1;
}
