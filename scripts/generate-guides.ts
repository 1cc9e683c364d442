/**
 * The generated sections of docs/guides: endpoints, errors, metrics and the sandbox's directives, each from the code that
 * serves them. With `--check` it writes nothing and exits 1 if a section is stale.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { ERRORS } from "../src/core/error-codes.ts";
import { ENDPOINTS } from "../src/gateway/endpoints.ts";
import { GatewayMetrics } from "../src/telemetry/metrics/gateway-metrics.ts";
import { fillSections, markdownTable, type GeneratedFile } from "./generate/generated-file.ts";
import { generateMain } from "./generate/write-or-check.ts";

const DIRECTIVES = "src/upstream/sandbox/directive.ts";

/** The guides under `root` as they should be. */
export async function guidePages(root: string): Promise<GeneratedFile[]> {
  const fill = async (page: string, sections: Readonly<Record<string, string>>): Promise<GeneratedFile> => {
    const text = await readFile(path.join(root, page), "utf8");
    return { path: page, content: fillSections(text, sections) };
  };
  return [
    await fill("docs/guides/endpoints.md", { endpoints: endpointTable(), errors: errorTable() }),
    await fill("docs/guides/operations.md", { metrics: metricTable() }),
    await fill("docs/guides/sandbox.md", {
      directives: directiveTable(await readFile(path.join(root, DIRECTIVES), "utf8")),
    }),
  ];
}

function endpointTable(): string {
  const rows = ENDPOINTS.map(({ methods, path: at, prefix, open, name, summary }) => [
    methods.join(", "),
    `\`${at}\`${prefix === true ? `, \`${at}/…\`` : ""}`,
    summary,
    open === true ? "no" : "yes",
    `\`${name}\``,
  ]);
  return markdownTable(["methods", "path", "what it is", "key needed", "name in key scopes and metrics"], rows);
}

function errorTable(): string {
  const rows = Object.entries(ERRORS).map(([code, row]) => [
    `\`${code}\``,
    String(row.status),
    `\`${row.type}\``,
    "retry" in row && !row.retry ? "no" : "yes",
    row.remedy,
  ]);
  return markdownTable(["code", "status", "`error.type`", "retried", "what to do"], rows);
}

function metricTable(): string {
  const rows = new GatewayMetrics().instruments.map(({ name, kind, help }) => [`\`${name}\``, kind, help]);
  return markdownTable(["metric", "kind", "meaning"], rows);
}

/** The table in the docstring of the directives, without the comment's stars and padding. */
function directiveTable(source: string): string {
  const rows = source.match(/^ \* \|.*\|$/gm) ?? [];
  if (rows.length < 5) throw new Error(`${DIRECTIVES} has no table of the directives in its docstring`);
  return rows.map((row) => row.slice(" * ".length).replace(/ {2,}/g, " ").replace(/-{3,}/g, "---")).join("\n");
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await generateMain(guidePages, process.argv.slice(2));
}
