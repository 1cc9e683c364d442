import * as fc from "fast-check";
import { describe, expect, it } from "vitest";

import { compareReports, DEFAULT_THRESHOLDS } from "../report/compare-reports.ts";
import type { LoadReport } from "../report/load-report.ts";
import { histogramOf, testReport } from "../testing/test-report.ts";
import { reportPage } from "./report-page.ts";

const report = testReport();
const compared = (candidate: LoadReport, baseline: LoadReport): string =>
  reportPage(candidate, {
    report: baseline,
    comparison: compareReports(baseline, candidate, { thresholds: DEFAULT_THRESHOLDS, force: true }),
  });

/** All tags of a page in order, as a parser that knows only tags sees them. */
function tagsOf(
  page: string,
): readonly { readonly name: string; readonly closing: boolean; readonly empty: boolean; readonly text: string }[] {
  const withoutStyle = page.replace(/<style>[^]*?<\/style>/, "");
  return Array.from(
    withoutStyle.matchAll(/<(\/?)([a-zA-Z][a-zA-Z0-9]*)((?:[^<>"]|"[^"]*")*?)(\/?)>/g),
    ([text, slash, name = "", , end]) => ({
      name: name.toLowerCase(),
      closing: slash === "/",
      empty: end === "/" || ["meta", "br"].includes(name),
      text,
    }),
  );
}

/** Fails unless every element is closed in its place. */
function expectWellFormed(page: string): void {
  const open: string[] = [];
  for (const { name, closing, empty } of tagsOf(page)) {
    if (closing) expect(name).toBe(open.pop());
    else if (!empty) open.push(name);
  }
  expect(open).toEqual([]);
}

describe("the page of a report", () => {
  it("is well formed, with and without a baseline, errors, streams and results", () => {
    const bare = testReport({
      distributions: {
        latency: null,
        service: null,
        ttfb: null,
        ttft: null,
        gap: null,
        pace: null,
        failed: null,
        lateness: null,
      },
      histograms: {},
      seconds: [],
      partial: { reason: "interrupted", atMs: 0 },
    });
    for (const page of [
      reportPage(report, null),
      reportPage(bare, null),
      compared(report, bare),
      compared(bare, report),
      compared(report, report),
    ]) {
      expectWellFormed(page);
      expect(page).not.toMatch(/NaN|Infinity|undefined|\[object/);
    }
  });

  it("needs nothing from elsewhere: no script, link, image, font, import or address but its own target's text", () => {
    const page = compared(report, report);
    const names = new Set(tagsOf(page).map(({ name }) => name));
    for (const name of ["script", "link", "img", "iframe", "object", "image", "use", "a", "form", "base"])
      expect(names).not.toContain(name);
    expect(page).not.toMatch(/url\(|@import|@font-face|\ssrc=|\shref=|xlink:|javascript:|\son[a-z]+=/i);
    expect(page.replaceAll("http://127.0.0.1:8080/v1/messages", "")).not.toMatch(/https?:\/\//);
    expect(page).toContain(`content="default-src 'none'; style-src 'unsafe-inline'`.replaceAll("'", "&#39;"));
  });

  it("shows what servers said as text, however hostile", () => {
    const hostile = [
      `<script>alert(1)</script>`,
      `"><img src=x onerror=alert(1)>`,
      `' onload='alert(1)`,
      "</style></main>",
      "&lt;b&gt;",
      "]]><!--",
    ];
    for (const text of hostile) {
      const page = reportPage(
        testReport({
          errors: [{ kind: "http", detail: text, count: 1, firstAtMs: 1, message: text }],
          warnings: [text],
          statuses: { [text]: 1 },
          environment: { ...report.environment, cpu: text, node: text },
          plan: { ...report.plan, model: text, body: text, headerNames: [text] },
        }),
        null,
      );
      expectWellFormed(page);
      const tags = tagsOf(page).map((tag) => tag.text);
      expect(tags).toEqual(expect.not.arrayContaining([expect.stringMatching(/onerror|onload|alert/)]));
      expect(new Set(tagsOf(page).map(({ name }) => name))).not.toContain("script");
      expect(page).toContain(
        text
          .replaceAll("&", "&amp;")
          .replaceAll("<", "&lt;")
          .replaceAll(">", "&gt;")
          .replaceAll('"', "&quot;")
          .replaceAll("'", "&#39;"),
      );
    }
  });

  it("stays well formed whatever strings and numbers a report file holds", () => {
    const text = fc.string({ unit: "binary", maxLength: 40 });
    fc.assert(
      fc.property(text, text, fc.double({ min: 0, max: 1, noNaN: true }), fc.nat(1e9), (a, b, errorRate, count) => {
        const page = compared(
          testReport({
            errorRate,
            errors: [{ kind: "cut", detail: a, count, firstAtMs: -1, message: b }],
            plan: { ...report.plan, model: a, body: b },
          }),
          report,
        );
        expectWellFormed(page);
      }),
      { numRuns: 40 },
    );
  });

  it("draws its charts from the figures, within their frames", () => {
    const spans = fc.tuple(
      fc.double({ min: 0, max: 1000, noNaN: true }),
      fc.double({ min: 0, max: 100_000, noNaN: true }),
    );
    fc.assert(
      fc.property(spans, fc.integer({ min: 0, max: 900 }), ([from, more], seconds) => {
        const latency = histogramOf(from, from + more);
        const row = report.seconds[0]!;
        const page = reportPage(
          testReport({
            histograms: { ...report.histograms, latency },
            windowMs: seconds * 1000,
            seconds: Array.from({ length: seconds }, (_, second) => ({
              ...row,
              second,
              latencyP99Ms: from + more,
              ok: second * 7,
              failed: second % 3,
            })),
          }),
          null,
        );
        expect(page).not.toMatch(/NaN|Infinity/);
        for (const [, x, y] of page.matchAll(/[ML](-?[\d.]+) (-?[\d.]+)/g)) {
          expect(Number(x)).toBeGreaterThanOrEqual(0);
          expect(Number(x)).toBeLessThanOrEqual(560);
          expect(Number(y)).toBeGreaterThanOrEqual(0);
          expect(Number(y)).toBeLessThanOrEqual(224);
        }
        // However long the run was, there are no more bars than can be told apart.
        expect([...page.matchAll(/<rect class="good"/g)].length).toBeLessThan(240 + 4 * 56);
      }),
      { numRuns: 25 },
    );
  });

  it("says at the top how the run went", () => {
    expect(reportPage(report, null)).toContain(">Complete<");
    expect(reportPage(testReport({ partial: { reason: "too_many_errors", atMs: 5000 } }), null)).toContain(
      "Partial: too many errors after 5 s",
    );
    const slower = testReport({ throughput: { ...report.throughput, okPerSecond: 10 } });
    expect(compared(slower, report)).toMatch(/class="state bad">Regression</);
    expect(compared(report, report)).toContain(">No regression<");
  });
});
