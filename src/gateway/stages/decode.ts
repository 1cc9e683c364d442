import { WeirError } from "../../core/weir-error.ts";
import { scanRequest } from "../../wire/anthropic/request-scan.ts";
import { required, type Exchange } from "../exchange.ts";
import { readBody } from "../http/body-reader.ts";
import { checkFileOwnership } from "../objects/file-references.ts";
import { composeSimpleRequest } from "../simple/compose.ts";
import type { Stage } from "./stage.ts";

export const decode: Stage = {
  name: "decode",
  summary: "Read the body once, validate it, find the model and what it may cost",
  async run(exchange, services) {
    const { snapshot, endpoint } = exchange;
    requireJson(exchange);
    const body = await readBody(exchange.request, snapshot);
    const message = endpoint.kind === "simple" ? composeSimpleRequest(exchange, body) : body;
    exchange.body = message;
    const scan = scanRequest(message, {
      maxDepth: snapshot.maxJsonDepth,
      requireMaxTokens: endpoint.kind !== "count_tokens",
    });
    exchange.scan = scan;
    if (scan.mentionsFiles) {
      exchange.heldBy = await checkFileOwnership(message, required(exchange.identity, "identity"), services.objects);
    }
  },
};

/** A body without a content type is taken for JSON, as the provider does; another type is refused. */
function requireJson(exchange: Exchange): void {
  const type = exchange.header("content-type");
  if (type === null || /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) return;
  throw new WeirError("weir:request:unsupported_media", "The content-type must be application/json.");
}
