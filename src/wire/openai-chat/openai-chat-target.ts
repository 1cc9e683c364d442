import type { CanonicalRequest, StreamDecoder, StreamFilter, TargetCall, TargetWire, WireWarning } from "../codec.ts";
import { decodeOpenaiError } from "../openai/error-shape.ts";
import { modelSplice, spliceBody, topLevelMembers, type Splice } from "../openai/json-body.ts";
import { isObject } from "../openai/json-reader.ts";
import { ChatStreamDecoder } from "./chat-stream-decoder.ts";
import { decodeChatAnswer } from "./target-answer.ts";
import { encodeChatRequest } from "./target-request.ts";
import { UsageFilter } from "./usage-filter.ts";

const HEADERS: readonly string[] = ["content-type", "application/json"];

/** OpenAI Chat Completions, Azure OpenAI and every server that speaks alike, as an upstream format. */
export const openaiChatTarget: TargetWire = {
  name: "openai-chat",
  forwards: ["openai-beta", "x-client-request-id"],
  encode(request: CanonicalRequest): TargetCall {
    const { body, warnings } = encodeChatRequest(request);
    return new ChatTargetCall({ body, warnings, hidesUsage: false });
  },
  forward(body: Buffer, { upstreamModel }: CanonicalRequest): TargetCall {
    const members = topLevelMembers(body);
    const usage = usageSplice(body, members);
    const splices = [modelSplice(members, upstreamModel), ...(usage === null ? [] : [usage])];
    return new ChatTargetCall({ body: spliceBody(body, splices), warnings: [], hidesUsage: usage !== null });
  },
};

/** Asks for the usage at the end of a stream where the client did not; null when there is nothing to change. */
function usageSplice(body: Buffer, members: ReturnType<typeof topLevelMembers>): Splice | null {
  const stream = members.find(({ key }) => key === "stream");
  if (stream === undefined || body.toString("utf8", stream.valueStart, stream.valueEnd) !== "true") return null;
  const member = members.find(({ key }) => key === "stream_options");
  if (member === undefined) {
    return { start: stream.valueEnd, end: stream.valueEnd, text: ',"stream_options":{"include_usage":true}' };
  }
  const { valueStart: start, valueEnd: end } = member;
  const options: unknown = JSON.parse(body.toString("utf8", start, end));
  if (isObject(options) && options["include_usage"] === true) return null;
  return { start, end, text: JSON.stringify({ ...(isObject(options) ? options : {}), include_usage: true }) };
}

class ChatTargetCall implements TargetCall {
  readonly body: Buffer;
  readonly headers = HEADERS;
  readonly warnings: readonly WireWarning[];
  readonly #hidesUsage: boolean;

  constructor({ body, warnings, hidesUsage }: { body: Buffer; warnings: readonly WireWarning[]; hidesUsage: boolean }) {
    this.body = body;
    this.warnings = warnings;
    this.#hidesUsage = hidesUsage;
  }

  decodeAnswer(body: Buffer): Buffer {
    return decodeChatAnswer(body);
  }

  decodeError(status: number, body: Buffer, headers: Readonly<Record<string, unknown>>): Buffer {
    const id = headers["x-request-id"] ?? headers["apim-request-id"];
    return decodeOpenaiError(status, body, typeof id === "string" ? id : undefined);
  }

  streamDecoder(): StreamDecoder {
    return new ChatStreamDecoder();
  }

  streamFilter(): StreamFilter | null {
    return this.#hidesUsage ? new UsageFilter() : null;
  }
}
