import type { ScannedRequest } from "../../wire/anthropic/request-scan.ts";
import { scanJson } from "../../wire/json/json-scan.ts";
import { parseEmbeddings } from "../../wire/openai/embeddings.ts";

/**
 * What the pipeline needs to know of an embeddings request; a deployment in the path is the model of a body that names none.
 * Throws WeirError with the path of what is wrong.
 */
export function scanEmbeddings(body: Buffer, maxDepth: number): ScannedRequest {
  const { model } = parseEmbeddings(body, maxDepth);
  const { members } = scanJson(body, maxDepth);
  const member = members.find(({ key }) => key === "model");
  return {
    model,
    modelStart: member?.valueStart ?? 0,
    modelEnd: member?.valueEnd ?? 0,
    stream: false,
    maxTokens: 0,
    longCacheWrites: false,
    mentionsFiles: false,
    mentionsForeignThinking: false,
    fast: false,
    inferenceGeo: null,
    members,
  };
}

/** The body with the model that the path names; Azure's clients write none into the body, or one that does not count. */
export function embeddingsBody(body: Buffer, pathModel: string | null, maxDepth: number): Buffer {
  if (pathModel === null) return body;
  const { members } = scanJson(body, maxDepth);
  const member = members.find(({ key }) => key === "model");
  const name = JSON.stringify(pathModel);
  if (member !== undefined) {
    return Buffer.concat([body.subarray(0, member.valueStart), Buffer.from(name), body.subarray(member.valueEnd)]);
  }
  const open = body.indexOf("{") + 1;
  const separator = members.length === 0 ? "" : ",";
  return Buffer.concat([body.subarray(0, open), Buffer.from(`"model":${name}${separator}`), body.subarray(open)]);
}
