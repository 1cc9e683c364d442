import { describe, expect, it } from "vitest";
import { CASES, QUICK } from "../cases.ts";
import { DIRECT, type FirstTokenSample, type MemorySample, type RequestsSample, type Sample } from "../sample.ts";
import { cpuTable, formatNumber, translationTable } from "./figures.ts";
import { renderMarkdown } from "./markdown.ts";
import type { Report } from "./report.ts";
import { findCpu, ratioSpread, summarise } from "./summary.ts";
import { renderChart } from "./svg.ts";
import { judge } from "./targets.ts";
import { formatTable } from "./terminal.ts";

function requests(peer: string, round: number, cpuUs: number, caseId = "json-2k"): RequestsSample {
  const rest = { requests: 1000, requestsPerSecond: 1e6 / cpuUs, databaseCpuUs: 0, utilisation: 1 };
  return { kind: "requests", peer, caseId, round, cpuUs, ...rest };
}

function firstToken(peer: string, round: number, ms: number): FirstTokenSample {
  return { kind: "first-token", peer, caseId: "first-token", round, firstToken: [[ms * 1e6, 100]], utilisation: 0.1 };
}

function memory(peer: string, idleMb: number, loadedMb: number): MemorySample {
  const groups = (mb: number) => ({ gateway: { pss: mb * 1e6, rss: mb * 1e6 }, database: { pss: 0, rss: 0 } });
  return { kind: "memory", peer, caseId: "memory", round: 1, idle: groups(idleMb), loaded: groups(loadedMb) };
}

function report(samples: readonly Sample[]): Report {
  const machine = {
    cpu: "A <fast> CPU",
    cores: 2,
    memoryGb: 8,
    system: "Linux",
    node: "26.0.0",
    compiler: "gcc",
    loadBefore: 0,
  };
  const peers = ["weir", "bare"].map((name) => ({ name, version: "1", description: "a gateway" }));
  return {
    startedAt: new Date("2026-11-20T12:00:00Z"),
    seconds: 700,
    mode: "full",
    durations: QUICK,
    machine,
    cpus: { gateway: "0", tools: "1" },
    cases: CASES,
    peers,
    skipped: [{ name: "nginx", reason: "nginx is not installed: apt-get install -y nginx-light" }],
    samples,
    failures: [],
    behind: [],
  };
}

const THREE_ROUNDS = [
  requests("weir", 1, 60),
  requests("bare", 1, 50),
  requests("weir", 2, 90),
  requests("bare", 2, 100),
  requests("weir", 3, 64),
  requests("bare", 3, 52),
];

describe("the ratio of two gateways", () => {
  it("is that of their medians, with the ratios of single rounds as its spread", () => {
    const ratio = ratioSpread(
      THREE_ROUNDS.filter(({ peer }) => peer === "weir"),
      THREE_ROUNDS.filter(({ peer }) => peer === "bare"),
    );
    expect(ratio).toEqual({ median: 64 / 52, min: 0.9, max: 64 / 52 });
  });

  it("does not exist when they share no round", () => {
    expect(ratioSpread([requests("weir", 1, 60)], [requests("bare", 2, 50)])).toBeNull();
  });
});

describe("the summary of a run", () => {
  it("gives the median CPU of each gateway and case, and one against itself is 1", () => {
    const summary = summarise(THREE_ROUNDS);
    expect(findCpu(summary, "weir", "json-2k")?.us).toEqual({ median: 64, min: 60, max: 90 });
    expect(findCpu(summary, "bare", "json-2k")?.toBare).toEqual({ median: 1, min: 1, max: 1 });
  });

  it("subtracts the direct way of the same round from a time to first token", () => {
    const samples = [
      firstToken(DIRECT, 1, 1),
      firstToken("weir", 1, 1.5),
      firstToken(DIRECT, 2, 10),
      firstToken("weir", 2, 10.3),
    ];
    const [direct, weir] = summarise(samples).firstToken;
    expect(weir?.addedP50Ms?.min).toBeCloseTo(0.3, 9);
    expect(weir?.addedP50Ms?.max).toBeCloseTo(0.5, 9);
    expect(direct?.addedP50Ms).toBeNull();
  });

  it("marks what an overloaded gateway's times are worth", () => {
    const samples = [{ ...firstToken("litellm", 1, 5000), utilisation: 0.99 }];
    expect(summarise(samples).firstToken[0]?.saturated).toBe(true);
  });
});

describe("the targets", () => {
  const verdict = (samples: readonly Sample[], text: string) =>
    judge(summarise(samples)).find((one) => one.text.startsWith(text));

  it("are met up to their limit and missed above it", () => {
    const at = (weirUs: number) =>
      verdict([requests("weir", 1, weirUs), requests("bare", 1, 100)], "CPU per 2 KB request, JSON")?.result;
    expect([at(135), at(135.1)]).toEqual(["met", "missed"]);
  });

  it("are not called met when nothing was measured", () => {
    expect(judge(summarise([])).map(({ result }) => result)).toEqual(judge(summarise([])).map(() => "not measured"));
  });

  it("judge Portkey by the case in which it does best", () => {
    const cases = ["json-2k", "json-100k", "stream-2k", "stream-100k"];
    const samples = cases.flatMap((id, index) => [
      requests("weir", 1, 10, id),
      requests("portkey", 1, 100 - 20 * index, id),
    ]);
    expect(verdict(samples, "Portkey's CPU per request")).toMatchObject({ figure: { median: 4 }, result: "missed" });
  });

  it("judge a translation by its dearer size, against the same without, and only when both were measured", () => {
    const size = (id: string, passThroughUs: number, ratio: number) => [
      requests("weir", 1, passThroughUs, id),
      requests("weir", 1, passThroughUs * ratio, `${id}-to-bedrock`),
    ];
    const text = "CPU of Messages clients on Bedrock, 50 events";
    const both = [...size("stream-2k", 300, 1.2), ...size("stream-100k", 500, 1.6)];
    expect(verdict(both, text)).toMatchObject({ figure: { median: 1.6 }, limit: 1.6, result: "met" });
    expect(verdict([...both, ...size("json-2k", 100, 9)], text)?.result).toBe("met");
    expect(verdict([...size("stream-2k", 300, 1.7), ...size("stream-100k", 500, 1.1)], text)?.result).toBe("missed");
    expect(verdict(size("stream-2k", 300, 1.2), text)?.result).toBe("not measured");
  });

  it("compare added times, not whole ones", () => {
    const samples = [firstToken(DIRECT, 1, 1), firstToken("bare", 1, 1.2), firstToken("weir", 1, 1.4)];
    expect(verdict(samples, "Added time to first token, p50, against")?.figure?.median).toBeCloseTo(2, 6);
  });

  it("count memory above idle", () => {
    expect(verdict([memory("weir", 90, 239)], "Memory")?.result).toBe("met");
    expect(verdict([memory("weir", 90, 240)], "Memory")?.result).toBe("missed");
  });
});

describe("the report", () => {
  it("writes numbers with as many digits as they deserve", () => {
    expect([1.234, 12.34, 123.4, 1234.5, 0].map(formatNumber)).toEqual(["1.23", "12.3", "123", "1,235", "0.00"]);
  });

  it("says in the page what was skipped and how to get it", () => {
    expect(renderMarkdown(report(THREE_ROUNDS), "performance.svg")).toContain(
      "nginx: skipped, nginx is not installed: apt-get",
    );
  });

  it("says at the top of the page when a run failed", () => {
    const failed = {
      ...report(THREE_ROUNDS),
      failures: [{ peer: "weir", caseId: "json-2k", round: 1, reason: "3 not 200" }],
    };
    expect(renderMarkdown(failed, "performance.svg")).toMatch(
      /This run failed; do not quote its figures[\s\S]*weir, json-2k, round 1: 3 not 200[\s\S]*## Targets/,
    );
  });

  it("keeps every row of a table as wide as its head", () => {
    const page = renderMarkdown(report([...THREE_ROUNDS, memory("weir", 1, 2)]), "performance.svg");
    for (const block of page.split("\n\n").filter((one) => one.startsWith("|"))) {
      const widths = block.split("\n").map((line) => line.split("|").length);
      expect(new Set(widths).size).toBe(1);
    }
  });

  it("lists translated cases apart, each with what it is compared with", () => {
    const samples = [
      requests("weir", 1, 200, "stream-2k"),
      requests("weir", 1, 250, "stream-2k-from-chat"),
      requests("bare", 1, 100, "stream-2k"),
    ];
    const summary = summarise(samples);
    expect(translationTable(report(samples), summary).rows).toEqual([
      ["2 KB request, 50 events: Chat Completions client, Messages upstream", "200", "250", "1.25 (1.25 – 1.25)"],
    ]);
    expect(cpuTable(report(samples), summary).rows.flat().join()).not.toContain("Chat Completions");
    const svg = renderChart(report(samples), summary);
    expect(svg).toContain("2 KB request, 50 events: Weir translating");
    expect(svg).toContain("250  (1.25 × pass-through)");
    expect(svg.match(/<rect class="bar/g)).toHaveLength(4);
  });

  it("aligns the terminal's columns", () => {
    const lines = formatTable({
      title: "T",
      columns: ["a", "b"],
      rows: [
        ["long name", "1"],
        ["x", "1,000"],
      ],
    }).split("\n");
    expect(lines.slice(2)).toEqual(["long name      1", "x          1,000"]);
  });

  it("draws a bar for each gateway, as long as its CPU, and escapes what it writes", () => {
    const svg = renderChart(report(THREE_ROUNDS), summarise(THREE_ROUNDS));
    const widths = [...svg.matchAll(/<rect class="bar[^"]*" x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths).toHaveLength(2);
    expect((widths[0] ?? 0) / (widths[1] ?? 1)).toBeCloseTo(64 / 52, 1);
    expect(svg).toContain("A &lt;fast> CPU");
  });

  it("cuts the bar of a gateway that is far slower than the others, so that these can still be told apart", () => {
    const samples = [requests("weir", 1, 6000), requests("bare", 1, 60)];
    const svg = renderChart(report(samples), summarise(samples));
    const widths = [...svg.matchAll(/<rect class="bar[^"]*" x="\d+" y="\d+" width="([\d.]+)"/g)].map(([, width]) =>
      Number(width),
    );
    expect(widths[0]).toBe(widths[1]);
    expect(svg.match(/class="cut"/g)).toHaveLength(1);
  });
});
