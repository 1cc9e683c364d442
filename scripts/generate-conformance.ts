/**
 * Writes docs/reference/conformance.md from the tables of features beside the codecs. With `--check` it writes nothing and
 * exits 1 if the page is stale.
 */
import { fileURLToPath } from "node:url";

import { MESSAGES_FEATURES } from "../src/wire/anthropic/features.ts";
import { BEDROCK_FEATURES } from "../src/wire/bedrock/features.ts";
import type { FeatureName, FeatureRow, FeatureTable } from "../src/wire/features.ts";
import { CHAT_CLIENT_FEATURES, CHAT_TARGET_FEATURES } from "../src/wire/openai-chat/features.ts";
import { RESPONSES_CLIENT_FEATURES, RESPONSES_TARGET_FEATURES } from "../src/wire/openai-responses/features.ts";
import { VERTEX_FEATURES } from "../src/wire/vertex/features.ts";
import { CLIENT_TESTS, UPSTREAM_TESTS, type ShownBy } from "./generate/conformance-tests.ts";
import { markdownTable, type GeneratedFile } from "./generate/generated-file.ts";
import { generateMain } from "./generate/write-or-check.ts";

/** The features as people call them, in the order of the page. */
const TITLES: Readonly<Record<FeatureName, string>> = {
  text: "text",
  streaming: "streaming",
  thinking: "thinking",
  thinking_signatures: "thinking and its signature over several turns",
  redacted_thinking: "redacted thinking",
  tool_use: "tool use",
  tool_use_split_json: "tool input streamed in pieces",
  parallel_tools: "several tools at once",
  tool_choice: "choice of the tool",
  cache_control_5m: "prompt cache, 5 minutes",
  cache_control_1h: "prompt cache, 1 hour",
  images_base64: "images",
  images_url: "images by URL",
  documents_pdf: "PDF documents",
  documents_text: "text documents",
  citations: "citations",
  server_tools_web_search: "web search",
  server_tools_code_execution: "code execution",
  mcp_servers: "MCP connector",
  stop_sequences: "stop sequences",
  stop_reasons: "stop reasons",
  usage: "usage",
  usage_cache_split: "usage of the cache, by lifetime",
  count_tokens: "token counting",
  structured_outputs: "structured outputs",
  context_management: "context management",
  fast_mode: "fast mode",
  service_tier: "service tier",
  inference_geo: "inference geography",
  metadata_user_id: "id of the end user",
};

interface Column {
  readonly title: string;
  readonly table: FeatureTable;
}

const UPSTREAMS: readonly Column[] = [
  { title: "Messages", table: MESSAGES_FEATURES },
  { title: "Bedrock", table: BEDROCK_FEATURES },
  { title: "Vertex", table: VERTEX_FEATURES },
  { title: "Chat Completions", table: CHAT_TARGET_FEATURES },
  { title: "Responses", table: RESPONSES_TARGET_FEATURES },
];

const CLIENTS: readonly Column[] = [
  { title: "Messages, Bedrock, Vertex", table: MESSAGES_FEATURES },
  { title: "Chat Completions", table: CHAT_CLIENT_FEATURES },
  { title: "Responses", table: RESPONSES_CLIENT_FEATURES },
];

const SIGNS: Readonly<Record<FeatureRow["support"], string>> = { yes: "✓", warning: "⚠", refused: "✗" };

/** The page. */
export function conformancePage(): GeneratedFile {
  return { path: "docs/reference/conformance.md", content: page() };
}

function page(): string {
  return [
    "<!-- Made by `npm run generate` from the tables of features in src/wire; do not edit. -->",
    "# Conformance",
    "",
    "What Weir carries between each format, by feature of the Messages API:",
    "",
    "- ✓ goes over",
    "- ⚠ goes over in part or not at all; where a request asks for it, `x-weir-warning` names it",
    "- ✗ does not go over, and the request is refused with 400 and its name: without it the answer would be to another question",
    "",
    "A number leads to the note below the table. Each row names the test that shows it for every column: the official SDKs in",
    "front of a running Weir, which has servers behind it that check what a provider would.",
    "",
    "## Upstreams",
    "",
    "A client that speaks Messages, in front of an upstream that speaks:",
    "",
    ...section(UPSTREAMS, UPSTREAM_TESTS),
    "",
    "Messages is spoken by the Anthropic API, Claude Platform on AWS, Microsoft Foundry, Bedrock's Mantle and custom endpoints,",
    "SageMaker's among them. Bytes go there as they came; what a provider itself does not serve it says in its own words.",
    "",
    "## Clients",
    "",
    "A client that speaks one of these formats, in front of an upstream that speaks Messages:",
    "",
    ...section(CLIENTS, CLIENT_TESTS),
    "",
    "Where client and upstream speak the same format, the request and the answer go through as they are, whatever is in them.",
    "Between two that speak neither Messages nor the same format both tables count.",
    "",
  ].join("\n");
}

function section(columns: readonly Column[], tests: Readonly<Record<FeatureName, ShownBy>>): string[] {
  const notes: string[] = [];
  const rows = featureNames().map((feature) => {
    const cells = columns.map(({ table }) => cellText(table[feature], notes));
    return [TITLES[feature], ...cells, testText(tests[feature])];
  });
  const table = markdownTable(["feature", ...columns.map(({ title }) => title), "shown by"], rows);
  return [table, "", ...notes.map((note, index) => `${index + 1}. ${note}`)];
}

/** The sign, with the number of its note where it has one; equal notes are one. */
function cellText({ support, why }: FeatureRow, notes: string[]): string {
  if (why === "") return SIGNS[support];
  const found = notes.indexOf(why);
  const number = found < 0 ? notes.push(why) : found + 1;
  return `${SIGNS[support]} ${number}`;
}

function testText({ file, title }: ShownBy): string {
  return `[${title}](../../${file})`;
}

function featureNames(): readonly FeatureName[] {
  return Object.keys(TITLES) as FeatureName[]; // the keys of a record of all of them
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await generateMain(async () => [conformancePage()], process.argv.slice(2));
}
