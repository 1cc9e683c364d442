import { styleText } from "node:util";

/** Emphasis for a terminal; returns the text unchanged where there are no colours. */
export interface Style {
  readonly hasColors: boolean;
  bold(text: string): string;
  dim(text: string): string;
  red(text: string): string;
  green(text: string): string;
  yellow(text: string): string;
  cyan(text: string): string;
}

/** A style with colours, or one that leaves text alone. */
export function styleFor(hasColors: boolean): Style {
  const paint = (format: Parameters<typeof styleText>[0]) => (text: string) =>
    hasColors ? styleText(format, text, { validateStream: false }) : text;
  return {
    hasColors,
    bold: paint("bold"),
    dim: paint("dim"),
    red: paint("red"),
    green: paint("green"),
    yellow: paint("yellow"),
    cyan: paint("cyan"),
  };
}

/**
 * Whether to write colours: only on a terminal that can show them, never with NO_COLOR (no-color.org), always with
 * FORCE_COLOR (except `0`).
 */
export function wantsColors(isTty: boolean, env: Readonly<Record<string, string | undefined>>): boolean {
  if ((env["NO_COLOR"] ?? "") !== "") return false;
  const forced = env["FORCE_COLOR"] ?? "";
  if (forced !== "") return forced !== "0";
  return isTty && env["TERM"] !== "dumb";
}
