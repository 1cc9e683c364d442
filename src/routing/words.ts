/** A duration for people: `450 ms`, `4.5 s`, `12 s`, `3 min`, `2 h`. */
export function durationWords(ms: number): string {
  const whole = Math.max(0, ms);
  if (whole < 1_000) return `${Math.round(whole)} ms`;
  if (whole < 10_000) return `${Math.round(whole / 100) / 10} s`;
  if (whole < 120_000) return `${Math.round(whole / 1_000)} s`;
  if (whole < 7_200_000) return `${Math.round(whole / 60_000)} min`;
  return `${Math.round(whole / 3_600_000)} h`;
}

/** A fraction as a percentage: `5 %`, `0.4 %`. */
export function percentWords(fraction: number): string {
  const percent = fraction * 100;
  return `${percent < 10 ? Math.round(percent * 10) / 10 : Math.round(percent)} %`;
}

/** A whole number with its noun, in the plural unless it is one. */
export function countWords(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

/** A whole number with thousands separated, the same in every locale. */
export function groupedNumber(value: number): string {
  return String(Math.round(value)).replace(/\B(?=(\d{3})+$)/g, ",");
}
