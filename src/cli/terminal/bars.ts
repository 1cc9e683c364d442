const EIGHTHS = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"];
const LEVELS = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"];

/** A horizontal bar for a share (0..1) of `width` columns, in steps of an eighth. Anything above zero shows. */
export function bar(share: number, width: number): string {
  const bounded = Math.min(1, Math.max(0, share));
  const eighths = bounded === 0 ? 0 : Math.max(1, Math.round(bounded * width * 8));
  return "█".repeat(Math.floor(eighths / 8)) + (EIGHTHS[eighths % 8] ?? "");
}

/** One character a value, as high as the value is beside the largest; a space for zero. */
export function sparkline(values: readonly number[]): string {
  const largest = Math.max(0, ...values);
  return values.map((value) => levelOf(value, largest)).join("");
}

function levelOf(value: number, largest: number): string {
  if (value <= 0 || largest <= 0) return " ";
  return LEVELS[Math.min(LEVELS.length - 1, Math.floor((value / largest) * LEVELS.length))] ?? "";
}
