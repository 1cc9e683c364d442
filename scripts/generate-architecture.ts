/**
 * The generated sections of ARCHITECTURE.md: the way of an exchange from the array that the pipeline runs, and the layers
 * from the table that the test enforces. With `--check` it writes nothing and exits 1 if a section is stale.
 */
import { readFile } from "node:fs/promises";
import path from "node:path";
import { fileURLToPath } from "node:url";

import { STAGES } from "../src/gateway/pipeline.ts";
import { LAYERS } from "../test/architecture/layer-table.ts";
import { fillSections, markdownTable, type GeneratedFile } from "./generate/generated-file.ts";
import { generateMain } from "./generate/write-or-check.ts";

const PAGE = "ARCHITECTURE.md";

/** What stages do with the world outside, by the stage's name. */
const OUTSIDE: Readonly<Record<string, readonly string[]>> = {
  receive: ["client([client]) -->|request| receive"],
  admit: ["admit -.->|open record| journal[(journal)]"],
  attempt: ["attempt <-->|request, answer| upstream([upstream])"],
  relay: ["relay -->|bytes as they come| client"],
  settle: ["settle -.->|entry, durable| journal", "settle -->|held end of the answer| client"],
};

/** ARCHITECTURE.md under `root` as it should be. */
export async function architecturePage(root: string): Promise<GeneratedFile> {
  const page = await readFile(path.join(root, PAGE), "utf8");
  return { path: PAGE, content: fillSections(page, { way: wayOfAnExchange(), layers: layerTable() }) };
}

function wayOfAnExchange(): string {
  const names = STAGES.map(({ name }) => name);
  const unknown = Object.keys(OUTSIDE).find((name) => !names.includes(name));
  if (unknown !== undefined) throw new Error(`the pipeline has no stage "${unknown}" to draw arrows from`);
  const diagram = [
    "```mermaid",
    "flowchart LR",
    `  ${names.join(" --> ")}`,
    ...names.flatMap((name) => OUTSIDE[name] ?? []).map((edge) => `  ${edge}`),
    "  journal -.->|shipper, in batches| postgres[(PostgreSQL)]",
    "```",
  ];
  const rows = STAGES.map(({ name, summary }, index) => [String(index + 1), `\`${name}\``, summary]);
  return `${diagram.join("\n")}\n\n${markdownTable(["", "stage", "what it does"], rows)}`;
}

function layerTable(): string {
  const rows = LAYERS.map((line, index) => [
    String(index + 1),
    line.map(({ folder, holds }) => `\`${folder}/\` ${holds}`).join(" <br> "),
  ]);
  return markdownTable(["line", "folders"], rows);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await generateMain(async (root) => [await architecturePage(root)], process.argv.slice(2));
}
