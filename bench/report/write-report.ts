import { mkdirSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import type { BenchOptions } from "../options.ts";
import { renderMarkdown } from "./markdown.ts";
import type { Report } from "./report.ts";
import { summarise } from "./summary.ts";
import { renderChart } from "./svg.ts";

/** Writes every sample as JSON, and the page with its chart to docs/ or, for a partial run, beside the JSON. */
export function writeReport(report: Report, options: BenchOptions, outDirectory: string): void {
  const json = JSON.stringify(report, null, 1);
  const pages = options.writeDocs ? join(import.meta.dirname, "../../docs") : outDirectory;
  mkdirSync(pages, { recursive: true });
  const files: [file: string, content: string][] = [
    [join(outDirectory, "last.json"), json],
    ...(options.jsonFile === null ? [] : [[options.jsonFile, json] as [string, string]]),
    [join(pages, "performance.md"), renderMarkdown(report, "performance.svg")],
    [join(pages, "performance.svg"), renderChart(report, summarise(report.samples))],
  ];
  for (const [file, content] of files) writeFileSync(file, content);
  console.log(`Written: ${files.map(([file]) => relative(process.cwd(), file)).join(", ")}`);
  if (!options.writeDocs)
    console.log("docs/performance.md is as it was: only a full run of everything renews it (or --docs).");
}
