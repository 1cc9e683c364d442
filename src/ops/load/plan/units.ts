import { LoadError } from "../load-error.ts";

const MS_PER_UNIT: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTES_PER_UNIT: Readonly<Record<string, number>> = {
  "": 1,
  b: 1,
  k: 1024,
  kb: 1024,
  m: 1024 ** 2,
  mb: 1024 ** 2,
};

/** `250ms`, `30s`, `1.5m`, `2h` or `0` to milliseconds. `flag` names the option in the error. */
export function parseDurationMs(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)$/i.exec(text.trim());
  if (match === null) {
    if (text.trim() === "0") return 0;
    throw new LoadError(
      "usage",
      `${flag}: "${text}" is not a duration`,
      `Write a number with its unit, for example ${flag} 30s (units: ms, s, m, h).`,
    );
  }
  return Number(match[1]) * (MS_PER_UNIT[(match[2] ?? "").toLowerCase()] ?? 1);
}

/** `2k`, `100KB`, `1m` or `2048` to bytes; 1 KB is 1024 bytes. */
export function parseSizeBytes(text: string, flag: string): number {
  const match = /^(\d+(?:\.\d+)?)\s*(b|k|kb|m|mb)?$/i.exec(text.trim());
  if (match === null) {
    throw new LoadError("usage", `${flag}: "${text}" is not a size`, `Write for example ${flag} 100k (units: k, m).`);
  }
  return Math.round(Number(match[1]) * (BYTES_PER_UNIT[(match[2] ?? "").toLowerCase()] ?? 1));
}

/** A number of at least `min` (by default more than zero). */
export function parseNumber(text: string, flag: string, min = Number.MIN_VALUE): number {
  const value = text.trim() === "" ? NaN : Number(text);
  if (!Number.isFinite(value) || value < min) {
    const wanted = min === Number.MIN_VALUE ? "a number above zero" : `a number of at least ${min}`;
    throw new LoadError("usage", `${flag}: "${text}" is not ${wanted}`, `Write for example ${flag} 10.`);
  }
  return value;
}

/** A whole number of at least `min`. */
export function parseWhole(text: string, flag: string, min = 1): number {
  const value = /^\d+$/.test(text.trim()) ? Number(text) : NaN;
  if (!Number.isSafeInteger(value) || value < min) {
    throw new LoadError(
      "usage",
      `${flag}: "${text}" is not a whole number of at least ${min}`,
      `Write for example ${flag} ${Math.max(min, 10)}.`,
    );
  }
  return value;
}
