import { describe, expect, it } from "vitest";

import { requires } from "../../test/harness/requires.ts";
import { readVitestReport, skippedLines, summaryLine } from "./vitest-report.ts";

function report(...files: { name: string; status: string; tests: [status: string, fullName: string][] }[]): unknown {
  return {
    testResults: files.map(({ name, status, tests }) => ({
      name: `/work/weir/${name}`,
      status,
      assertionResults: tests.map(([state, fullName]) => ({ status: state, fullName })),
    })),
  };
}

describe("the summary of a test run", () => {
  it("counts what passed, failed and was skipped", () => {
    const summary = readVitestReport(
      report(
        {
          name: "a.test.ts",
          status: "passed",
          tests: [
            ["passed", "a one"],
            ["skipped", "a two"],
            ["todo", "a three"],
          ],
        },
        {
          name: "b.test.ts",
          status: "failed",
          tests: [
            ["failed", "b one"],
            ["failed", "b two"],
            ["passed", "b three"],
          ],
        },
      ),
      "/work/weir",
    );
    expect(summaryLine(summary)).toBe("Tests: 2 passed, 2 failed, 2 skipped");
  });

  it("counts a file that could not be loaded as a failure", () => {
    const summary = readVitestReport(report({ name: "a.test.ts", status: "failed", tests: [] }), "/work/weir");
    expect(summaryLine(summary)).toBe("Tests: 0 passed, 1 failed, 0 skipped");
  });

  it("counts what a failed hook kept from running as failed", () => {
    const tests: [string, string][] = [
      ["skipped", "a one"],
      ["skipped", "a two"],
    ];
    const summary = readVitestReport(report({ name: "a.test.ts", status: "failed", tests }), "/work/weir");
    expect(summaryLine(summary)).toBe("Tests: 0 passed, 2 failed, 0 skipped");
  });

  it("lists skipped tests by file and name, and what each need takes once", () => {
    const redis = requires("redis-server", { command: "apt-get install -y redis-server", found: false });
    const { skipped } = readVitestReport(
      report({
        name: "a.test.ts",
        status: "passed",
        tests: [
          ["skipped", `${redis.title("the counters")} survive`],
          ["skipped", `${redis.title("the counters")} expire`],
          ["skipped", "on Windows"],
        ],
      }),
      "/work/weir",
    );
    expect(skipped.map(({ needs }) => needs)).toEqual([
      "redis-server: apt-get install -y redis-server",
      "redis-server: apt-get install -y redis-server",
      null,
    ]);
    expect(skippedLines(skipped)).toEqual([
      "Skipped:",
      "  a.test.ts: the counters (needs redis-server: apt-get install -y redis-server) survive",
      "  a.test.ts: the counters (needs redis-server: apt-get install -y redis-server) expire",
      "  a.test.ts: on Windows",
      "To run them too:",
      "  redis-server: apt-get install -y redis-server",
    ]);
  });

  it("leaves the title alone when nothing is missing", () => {
    expect(requires("node", { command: "-" })).toMatchObject({ missing: false });
    expect(requires("node", { command: "-", found: true }).title("a thing")).toBe("a thing");
    expect(requires("no-such-program", { command: "-" }).missing).toBe(true);
  });

  it("refuses what is no report", () => {
    expect(() => readVitestReport({}, "/")).toThrow("not complete");
    expect(() => readVitestReport(null, "/")).toThrow("no testResults");
  });
});
