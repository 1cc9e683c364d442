/** A duration with three significant digits and a fitting unit: `0.14 ms`, `12.3 ms`, `1.23 s`. */
export function formatMs(valueMs: number): string {
  if (valueMs >= 59_950) return `${significant(valueMs / 60_000)} min`;
  if (valueMs >= 999.5) return `${significant(valueMs / 1000)} s`;
  return `${significant(valueMs)} ms`;
}

/** A time span for people: `850 ms`, `12.4 s`, `30 s`, `3 min 20 s`. */
export function formatSpan(valueMs: number): string {
  if (valueMs < 60_000) return Number.isInteger(valueMs / 1000) ? `${valueMs / 1000} s` : formatMs(valueMs);
  const totalSeconds = Math.round(valueMs / 1000);
  const hours = Math.floor(totalSeconds / 3600);
  const minutes = Math.floor((totalSeconds % 3600) / 60);
  const seconds = totalSeconds % 60;
  const parts = hours > 0 ? [`${hours} h`, `${minutes} min`] : [`${minutes} min`, `${seconds} s`];
  return parts.filter((part) => !part.startsWith("0 ")).join(" ");
}

/** A clock reading as on a stopwatch: `0:37`, `1:02:03`. */
export function formatStopwatch(valueMs: number): string {
  const totalSeconds = Math.max(0, Math.round(valueMs / 1000));
  const seconds = String(totalSeconds % 60).padStart(2, "0");
  const minutes = Math.floor(totalSeconds / 60) % 60;
  const hours = Math.floor(totalSeconds / 3600);
  return hours > 0 ? `${hours}:${String(minutes).padStart(2, "0")}:${seconds}` : `${minutes}:${seconds}`;
}

/** A whole number with separators: `12,345`. */
export function formatCount(value: number): string {
  return Math.round(value).toLocaleString("en");
}

/** A rate per second: `412`, `41.2`, `4.12`, `12,345`. */
export function formatRate(value: number): string {
  return value >= 1000 ? formatCount(value) : significant(value);
}

/** A share (0..1) in percent: `0.12 %`, `4.20 %`, `100 %`. */
export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent === 0) return "0 %";
  if (percent < 0.01) return "< 0.01 %";
  return `${percent < 10 ? percent.toFixed(2) : percent < 99.95 ? percent.toFixed(1) : percent === 100 ? "100" : "99.9"} %`;
}

/** Bytes: `512 B`, `2.0 KB`, `1.24 GB` (1 KB is 1024 bytes). */
export function formatBytes(bytes: number): string {
  let value = bytes;
  for (const unit of ["B", "KB", "MB", "GB"]) {
    if (value < 1024) return unit === "B" ? `${value} B` : `${significant(value)} ${unit}`;
    value /= 1024;
  }
  return `${significant(value)} TB`;
}

/** Three significant digits without an exponent; whole above 100. */
export function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95) return value.toLocaleString("en", { maximumFractionDigits: 0 });
  if (size >= 9.995) return value.toFixed(1);
  return size === 0 ? "0" : value.toFixed(size < 0.00995 ? 3 : 2);
}
