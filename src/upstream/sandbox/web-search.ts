import type { AnswerBlock } from "./answer.ts";
import { textOf, type JsonObject } from "./json-value.ts";
import { searchQuery } from "./tool-intents.ts";
import { stableId } from "./seeded-random.ts";
import { estimateTokens } from "./tokens.ts";
import type { MessageRequest } from "./message-request.ts";
import type { Conversation } from "./conversation.ts";

/** A search that the service makes itself, and what it adds to the answer. */
export interface WebSearch {
  readonly blocks: readonly AnswerBlock[];
  /** Tokens of the results, which the model reads as input. */
  readonly resultTokens: number;
  readonly requests: number;
}

const RESULTS = 3;
/** Text of a result that only the model sees. */
const CONTENT_TOKENS = 400;

/**
 * The web search that answers the prompt, when the request offers the web search server tool and the prompt asks for
 * something to be looked up; null otherwise. The sandbox reaches no network: the results are made up and lie at
 * reserved example domains. `key` makes the ids.
 */
export function planWebSearch(request: MessageRequest, conversation: Conversation, key: string): WebSearch | null {
  const tool = request.tools.find((offered) => textOf(offered, "type").startsWith("web_search_"));
  if (tool === undefined || !request.toolChoice.allowed || conversation.results.length > 0) return null;
  const query =
    searchQuery(conversation.prompt) ?? (request.toolChoice.name === tool["name"] ? conversation.prompt : null);
  if (query === null) return null;
  const id = stableId("srvtoolu_", `${key}:search`);
  const results = Array.from({ length: RESULTS }, (_, index) => makeResult(query, index, domainsOf(tool)));
  const first = results[0];
  const finding = `There are ${RESULTS} results for "${query}". They are made up: the sandbox reaches no network.`;
  return {
    requests: 1,
    resultTokens: RESULTS * CONTENT_TOKENS + estimateTokens(JSON.stringify(results)),
    blocks: [
      { type: "text", text: `I'll search the web for "${query}".`, citations: [] },
      { type: "server_tool_use", id, name: "web_search", inputJson: JSON.stringify({ query }) },
      { type: "web_search_tool_result", toolUseId: id, results },
      { type: "text", text: finding, citations: first === undefined ? [] : [citationOf(first, finding)] },
    ],
  };
}

function makeResult(query: string, index: number, domains: readonly string[]): JsonObject {
  const domain = domains[index % domains.length] ?? "example.com";
  const slug = query
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, "-")
    .slice(0, 60);
  return {
    type: "web_search_result",
    url: `https://${domain}/${encodeURIComponent(slug)}/${index + 1}`,
    title: `${query} (sandbox result ${index + 1})`,
    encrypted_content: Buffer.from(stableId("weir-sandbox-content:", `${query}:${index}`, 40)).toString("base64"),
    page_age: null,
  };
}

function citationOf(result: JsonObject, citedText: string): JsonObject {
  return {
    type: "web_search_result_location",
    cited_text: citedText,
    url: result["url"],
    title: result["title"],
    encrypted_index: result["encrypted_content"],
  };
}

function domainsOf(tool: JsonObject): readonly string[] {
  const allowed: readonly unknown[] = Array.isArray(tool["allowed_domains"]) ? tool["allowed_domains"] : [];
  const named = allowed.filter((domain): domain is string => typeof domain === "string");
  return named.length > 0 ? named : ["example.com", "example.org", "example.net"];
}
