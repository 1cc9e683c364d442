import type { WireName, WireWarning } from "../../wire/codec.ts";
import type { Exchange } from "../exchange.ts";
import { returnHeaders } from "../http/forward-headers.ts";
import type { Answer } from "./relay.ts";

/** Where clients of other formats look for the request id. */
const REQUEST_ID_ALIASES: Readonly<Partial<Record<WireName, string>>> = {
  bedrock: "x-amzn-requestid",
  "openai-chat": "x-request-id",
  "openai-responses": "x-request-id",
};
/** Warnings beyond this are only counted: a header must stay short. */
const MAX_WARNINGS = 8;
const MAX_WARNING_CHARACTERS = 300;

/** The head of the response to the client: what of the upstream's head may pass, and what Weir adds. */
export function answerHeaders(exchange: Exchange, answer: Answer): Record<string, string | string[]> {
  return Object.assign(returnHeaders(answer.head.headers), weirHeaders(exchange, answer), exchange.budgetHeaders);
}

/** The headers on every answer that an upstream gave: the request id, who answered and why, what was lost on the way. */
function weirHeaders(exchange: Exchange, { target }: Answer): Record<string, string | string[]> {
  const headers = ownHeaders(exchange);
  headers["x-weir-upstream"] = target.upstream.name;
  if (exchange.routeReason !== null) headers["x-weir-route"] = exchange.routeReason;
  if (target.upstream.isSandbox) headers["x-weir-sandbox"] = "1";
  return headers;
}

/** The headers on every answer, also on one of Weir's own: the request id and what was lost on the way. */
export function ownHeaders(exchange: Exchange): Record<string, string | string[]> {
  const headers: Record<string, string | string[]> = { "request-id": exchange.id };
  const alias = REQUEST_ID_ALIASES[exchange.endpoint.wire ?? "anthropic"];
  if (alias !== undefined) headers[alias] = exchange.id;
  if (exchange.warnings.length > 0) headers["x-weir-warning"] = warningTexts(exchange.warnings);
  return headers;
}

function warningTexts(warnings: readonly WireWarning[]): string[] {
  const texts = warnings
    .slice(0, MAX_WARNINGS)
    .map(({ field, message }) => headerText(`${field} ${message}`).slice(0, MAX_WARNING_CHARACTERS));
  const more = warnings.length - texts.length;
  return more === 0 ? texts : [...texts, `and ${more} more`];
}

/** Field names come from requests: what a header may not hold becomes a question mark. */
function headerText(text: string): string {
  return text.replace(/[^\t\x20-\x7e]/g, "?");
}
