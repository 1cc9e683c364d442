import type { FeatureName } from "../../src/wire/features.ts";

/** A test, by its file and the beginning of its title as it stands there. */
export interface ShownBy {
  readonly file: string;
  readonly title: string;
}

const CELLS = "test/clients/clouds/messages-cells.ts";
const UPSTREAMS = "test/clients/clouds/upstream-features.test.ts";
const CLIENTS = "test/clients/clouds/client-features.test.ts";
const CHAT = "test/clients/clouds/chat-cells.ts";
const LEDGER = "the ledger holds one entry for each exchange, with what the cloud billed";
const PARALLEL = "calls two tools at once and is told their results";

const cell = (title: string): ShownBy => ({ file: CELLS, title });
const upstream = (title: string): ShownBy => ({ file: UPSTREAMS, title });
const chat = (title: string): ShownBy => ({ file: CHAT, title });
const client = (title: string): ShownBy => ({ file: CLIENTS, title });

/** For each feature the test that shows what every format of upstreams makes of it. */
export const UPSTREAM_TESTS: Readonly<Record<FeatureName, ShownBy>> = {
  text: cell("gets a whole answer"),
  streaming: cell("gets a stream whose pieces are the whole"),
  thinking: upstream("thinks as much as asked"),
  thinking_signatures: upstream("gets the signed thinking of earlier turns back"),
  redacted_thinking: upstream("gets redacted thinking back"),
  tool_use: cell(PARALLEL),
  tool_use_split_json: cell(PARALLEL),
  parallel_tools: cell(PARALLEL),
  tool_choice: upstream("calls the one tool that is chosen"),
  cache_control_5m: upstream("caches a marked prefix for five minutes"),
  cache_control_1h: upstream("caches a marked prefix for an hour"),
  images_base64: upstream("sees pictures"),
  images_url: upstream("sees pictures by their address"),
  documents_pdf: upstream("reads PDF documents"),
  documents_text: upstream("reads documents of text"),
  citations: upstream("cites"),
  server_tools_web_search: upstream("searches the web"),
  server_tools_code_execution: upstream("runs code"),
  mcp_servers: upstream("connects to MCP servers"),
  stop_sequences: upstream("stops where it is told to"),
  stop_reasons: upstream("says why it stopped"),
  usage: upstream(LEDGER),
  usage_cache_split: upstream("tells what was written to a cache, and for how long"),
  count_tokens: cell("counts tokens, or is given an estimate that says so"),
  structured_outputs: upstream("answers in the form of a schema"),
  context_management: upstream("manages the context"),
  fast_mode: upstream("is fast"),
  service_tier: upstream("answers at the tier that is asked for"),
  inference_geo: upstream("runs where it is told to"),
  metadata_user_id: upstream("is told who the end user is"),
};

/** For each feature the test that shows how clients of every format ask for it. */
export const CLIENT_TESTS: Readonly<Record<FeatureName, ShownBy>> = {
  text: chat("gets a whole answer"),
  streaming: chat("gets a stream whose pieces are the whole"),
  thinking: client("has the model think as much as it asks"),
  thinking_signatures: client("sends signed thinking back"),
  redacted_thinking: client("sends redacted thinking back"),
  tool_use: chat(PARALLEL),
  tool_use_split_json: chat(PARALLEL),
  parallel_tools: chat(PARALLEL),
  tool_choice: client("chooses the tool to be called"),
  cache_control_5m: client("marks what is to be cached"),
  cache_control_1h: client("marks what is to be cached"),
  images_base64: client("shows pictures"),
  images_url: client("shows pictures by their address"),
  documents_pdf: client("hands over PDF documents"),
  documents_text: client("hands over documents of text"),
  citations: client("has the web searched, with what was found"),
  server_tools_web_search: client("has the web searched, with what was found"),
  server_tools_code_execution: client("has code run"),
  mcp_servers: client("connects the model to MCP servers"),
  stop_sequences: client("says where to stop"),
  stop_reasons: client("is told why the answer ends"),
  usage: client(LEDGER),
  usage_cache_split: client("is told what was read from a cache and what was written to it"),
  count_tokens: { file: "test/clients/clouds/other-endpoints.test.ts", title: "are counted at" },
  structured_outputs: client("gets answers in the form of a schema"),
  context_management: client("has the context managed"),
  fast_mode: client("asks for a fast answer"),
  service_tier: client("asks for a tier"),
  inference_geo: client("says where the model is to run"),
  metadata_user_id: client("says who its end user is"),
};
