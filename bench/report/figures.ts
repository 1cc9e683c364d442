import type { Spread } from "../measure/statistics.ts";
import { translationOf } from "../cases.ts";
import type { Report } from "./report.ts";
import { type CpuFigure, type LatencyFigure, type Summary, findCpu } from "./summary.ts";
import { SUBJECT, type Verdict } from "./targets.ts";

/** A table of text; the first column is left-aligned, the others are numbers. */
export interface Table {
  readonly title: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

const NONE = "–";

/** Three significant digits at least, thousands separated. */
export function formatNumber(value: number): string {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}

export function cpuTable(report: Report, summary: Summary): Table {
  return perCase(
    report,
    summary,
    "CPU in microseconds per request (per event for paced streams), median of the rounds",
    (figure) => {
      const database = figure.databaseUs >= 0.05 ? ` + ${formatNumber(figure.databaseUs)} db` : "";
      return `${formatNumber(figure.us.median)}${database}`;
    },
  );
}

export function ratioTable(report: Report, summary: Summary): Table {
  return perCase(report, summary, "The same against the bare proxy (least – greatest of a round)", (figure) =>
    figure.toBare === null ? NONE : formatSpread(figure.toBare),
  );
}

export function rateTable(report: Report, summary: Summary): Table {
  const table = perCase(
    report,
    summary,
    "Requests a second on one core (≥ where the gateway was not busy all the time)",
    (figure) =>
      figure.perSecond === null
        ? ""
        : `${figure.saturated ? "" : "≥ "}${Math.round(figure.perSecond).toLocaleString("en-US")}`,
  );
  return { ...table, rows: table.rows.filter((row) => row.slice(1).some((cell) => cell !== "" && cell !== NONE)) };
}

export function translationTable(report: Report, summary: Summary): Table {
  const us = (caseId: string): string => {
    const figure = findCpu(summary, SUBJECT, caseId);
    return figure ? formatNumber(figure.us.median) : NONE;
  };
  return {
    title: "Weir where client and upstream speak different formats, CPU in microseconds per request",
    columns: ["case", "pass-through", "translated", "ratio (least – greatest of a round)"],
    rows: report.cases.flatMap((one) => {
      const figure = findCpu(summary, SUBJECT, one.id);
      if (one.kind !== "requests" || one.translated === undefined || figure === undefined) return [];
      const ratio = figure.toPassThrough === null ? NONE : formatSpread(figure.toPassThrough);
      return [[one.title, us(one.translated.passThrough), us(one.id), ratio]];
    }),
  };
}

export function firstTokenTable(summary: Summary): Table {
  return latencyTable("Time to first token at 100 requests/s of 100 KB, ms", summary.firstToken);
}

export function transitTable(summary: Summary): Table {
  return latencyTable("Time an event of a paced stream travels, ms", summary.transit);
}

export function memoryTable(summary: Summary): Table {
  return {
    title: "Memory with 1,000 open streams, MB",
    columns: ["gateway", "idle", "with streams", "above idle", "RSS with streams", "its database"],
    rows: summary.memory.map((figure) => [
      figure.peer,
      formatNumber(figure.idleMb.median),
      formatNumber(figure.loadedMb.median),
      formatSpread(figure.aboveIdleMb),
      formatNumber(figure.loadedRssMb),
      figure.databaseMb === 0 ? NONE : formatNumber(figure.databaseMb),
    ]),
  };
}

export function targetTable(verdicts: readonly Verdict[]): Table {
  return {
    title: "Targets",
    columns: ["what", "target", "measured", "result"],
    rows: verdicts.map(({ text, sense, limit, unit, figure, result }) => [
      text,
      `${sense} ${limit} ${unit}`,
      figure === null ? NONE : `${formatNumber(figure.median)} ${unit}${formatRange(figure)}`,
      result,
    ]),
  };
}

function perCase(report: Report, summary: Summary, title: string, cell: (figure: CpuFigure) => string): Table {
  const cases = report.cases.filter(
    (one) => (one.kind === "requests" || one.kind === "paced") && translationOf(one) === null,
  );
  return {
    title,
    columns: ["case", ...report.peers.map((peer) => peer.name)],
    rows: cases.map((one) => [
      one.title,
      ...report.peers.map((peer) => {
        const figure = findCpu(summary, peer.name, one.id);
        return figure ? cell(figure) : NONE;
      }),
    ]),
  };
}

function latencyTable(title: string, figures: readonly LatencyFigure[]): Table {
  const added = (spread: Spread | null): string => (spread === null ? "" : formatSpread(spread));
  return {
    title,
    columns: ["through", "p50", "p99", "added p50", "added p99"],
    rows: figures.map((figure) => [
      figure.saturated ? `${figure.peer} (overloaded)` : figure.peer,
      formatNumber(figure.p50Ms),
      formatNumber(figure.p99Ms),
      added(figure.addedP50Ms),
      added(figure.addedP99Ms),
    ]),
  };
}

function formatSpread(spread: Spread): string {
  return `${formatNumber(spread.median)}${formatRange(spread)}`;
}

function formatRange({ min, max }: Partial<Spread>): string {
  if (min === undefined || max === undefined) return "";
  return ` (${formatNumber(min)} – ${formatNumber(max)})`;
}
