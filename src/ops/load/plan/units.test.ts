import { describe, expect, it } from "vitest";

import { LoadError } from "../load-error.ts";
import { parseDurationMs, parseNumber, parseSizeBytes, parseWhole } from "./units.ts";

describe("values of options", () => {
  it.each([
    ["250ms", 250],
    ["30s", 30_000],
    ["1.5m", 90_000],
    ["2h", 7_200_000],
    ["0", 0],
    [" 5S ", 5000],
  ])("reads the duration %s as %d ms", (text, ms) => {
    expect(parseDurationMs(text, "--duration")).toBe(ms);
  });

  it.each(["30", "", "s", "-1s", "1d", "1s2", "١s"])("refuses %j as a duration and says how to write one", (text) => {
    expect(() => parseDurationMs(text, "--duration")).toThrow(LoadError);
    expect(() => parseDurationMs(text, "--duration")).toThrow(/--duration/);
  });

  it.each([
    ["2k", 2048],
    ["2KB", 2048],
    ["2048", 2048],
    ["1.5k", 1536],
    ["1m", 1_048_576],
  ])("reads the size %s as %d bytes", (text, bytes) => {
    expect(parseSizeBytes(text, "--body")).toBe(bytes);
  });

  it("refuses numbers that are none, too small or not whole, naming the option", () => {
    for (const text of ["", "x", "0", "-1", "Infinity", "1e999"])
      expect(() => parseNumber(text, "--rate")).toThrow(/--rate/);
    for (const text of ["1.5", "0", "-1", "", "1e3", "99999999999999999999"])
      expect(() => parseWhole(text, "--users")).toThrow(/--users/);
    expect(parseNumber("0", "--p95", 0)).toBe(0);
    expect(parseWhole("0", "--seed", 0)).toBe(0);
  });
});
