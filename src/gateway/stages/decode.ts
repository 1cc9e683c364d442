import { scanRequest } from "../../wire/anthropic/request-scan.ts";
import { embeddingsBody, scanEmbeddings } from "../embeddings/scan-embeddings.ts";
import { required, type Exchange } from "../exchange.ts";
import { bodyReclaim } from "../http/buffer-reclaim.ts";
import { readBody } from "../http/body-reader.ts";
import { requireJson } from "../http/require-json.ts";
import { checkFileOwnership } from "../objects/file-references.ts";
import { composeSimpleRequest } from "../simple/compose.ts";
import type { Stage } from "./stage.ts";

export const decode: Stage = {
  name: "decode",
  summary: "Read the body once, validate it, find the model and what it may cost",
  async run(exchange, services) {
    const { snapshot, endpoint } = exchange;
    requireJson(exchange.header("content-type"));
    const body = await readBody(exchange.request, snapshot);
    const message = canonicalBody(exchange, body);
    exchange.body = message;
    const limits = { maxDepth: snapshot.maxJsonDepth, requireMaxTokens: endpoint.kind !== "count_tokens" };
    const scan =
      endpoint.kind === "embeddings"
        ? scanEmbeddings(message, snapshot.maxJsonDepth)
        : (exchange.clientCall?.scan?.(limits) ?? scanRequest(message, limits));
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
  exchange.clientCall = clientWire.decode({
    operation: endpoint.kind === "count_tokens" ? "count_tokens" : "messages",
    body,
    pathModel,
    pathStream: endpoint.streams ?? null,
    maxDepth: snapshot.maxJsonDepth,
  });
  exchange.clientBody = exchange.clientCall.corrected?.body ?? body;
  const { canonical } = exchange.clientCall;
  if (canonical !== body) bodyReclaim.read(canonical.length);
  return canonical;
}
