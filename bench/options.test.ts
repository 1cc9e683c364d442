import { describe, expect, it } from "vitest";
import { FULL, QUICK } from "./cases.ts";
import { type BenchOptions, readOptions } from "./options.ts";
import { formatRest } from "./progress.ts";

function options(...args: string[]): BenchOptions {
  const read = readOptions(args);
  if (read === "help") throw new Error("help was not asked for");
  return read;
}

describe("the command line of the benchmark", () => {
  it("without options measures everything in full and renews the page in docs/", () => {
    expect(options()).toMatchObject({ mode: "full", durations: FULL, only: null, writeDocs: true });
  });

  it.each([["--quick"], ["--only=weir,bare"], ["--cases=json-2k"]])("with %s leaves docs/ alone", (arg) => {
    expect(options(arg).writeDocs).toBe(false);
  });

  it("writes docs/ all the same when asked to", () => {
    expect(options("--quick", "--docs")).toMatchObject({ durations: QUICK, writeDocs: true });
  });

  it("keeps the order in which gateways and cases take turns, whatever order they are named in", () => {
    expect(options("--only", "nginx,weir", "--cases", "paced, json-2k")).toMatchObject({
      only: ["weir", "nginx"],
      cases: ["json-2k", "paced"],
    });
  });

  it("measures a translated case together with the one that it is compared with", () => {
    expect(options("--cases", "stream-2k-to-bedrock,paced")).toMatchObject({
      cases: ["stream-2k", "stream-2k-to-bedrock", "paced"],
    });
  });

  it("does not measure memory more often than it was asked for rounds", () => {
    expect(options("--rounds", "2").durations).toMatchObject({ rounds: 2, memoryRounds: 2 });
    expect(options("--rounds", "20").durations).toMatchObject({ rounds: 20, memoryRounds: FULL.memoryRounds });
  });

  it.each([
    [["--only", "wier"], /"wier" is not one of weir, bare/],
    [["--cases", "x"], /"x" is not one of json-2k/],
    [["--rounds", "0"], /not a whole number above 0/],
    [["--fast"], /--fast/],
  ])("refuses %j and says what is possible", (args, message) => {
    expect(() => readOptions(args)).toThrow(message);
  });
});

describe("the time left", () => {
  it.each([
    [0.4, "0 s"],
    [59.4, "59 s"],
    [61, "1 min 01 s"],
    [-3, "0 s"],
  ])("of %d seconds reads %s", (seconds, text) => {
    expect(formatRest(seconds)).toBe(text);
  });
});
