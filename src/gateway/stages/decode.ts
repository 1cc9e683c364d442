import { WeirError } from "../../core/weir-error.ts";
import { scanRequest } from "../../wire/anthropic/request-scan.ts";
import { embeddingsBody, scanEmbeddings } from "../embeddings/scan-embeddings.ts";
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
    const message = canonicalBody(exchange, body);
    exchange.body = message;
    const scan =
      endpoint.kind === "embeddings"
        ? scanEmbeddings(message, snapshot.maxJsonDepth)
        : scanRequest(message, {
            maxDepth: snapshot.maxJsonDepth,
            requireMaxTokens: endpoint.kind !== "count_tokens",
          });
    exchange.scan = scan;
    if (scan.mentionsFiles) {
      exchange.heldBy = await checkFileOwnership(message, required(exchange.identity, "identity"), services.objects);
    }
  },
};

/** The request as Messages JSON: as it came, or what another format makes of it. */
function canonicalBody(exchange: Exchange, body: Buffer): Buffer {
  const { endpoint, clientWire, pathModel, snapshot } = exchange;
  if (endpoint.kind === "simple") return composeSimpleRequest(exchange, body);
  if (endpoint.kind === "embeddings") return embeddingsBody(body, pathModel, snapshot.maxJsonDepth);
  if (clientWire === null) return body;
  exchange.clientBody = body;
  exchange.clientCall = clientWire.decode({
    operation: endpoint.kind === "count_tokens" ? "count_tokens" : "messages",
    body,
    pathModel,
    pathStream: endpoint.streams ?? null,
    maxDepth: snapshot.maxJsonDepth,
  });
  return exchange.clientCall.canonical;
}

/** A body without a content type is taken for JSON, as the provider does; another type is refused. */
function requireJson(exchange: Exchange): void {
  const type = exchange.header("content-type");
  if (type === null || /^application\/(?:[\w.+-]+\+)?json\s*(?:;|$)/i.test(type)) return;
  throw new WeirError("weir:request:unsupported_media", "The content-type must be application/json.");
}
