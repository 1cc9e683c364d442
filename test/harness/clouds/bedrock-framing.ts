import { isObject, textOf, type JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import type { MessageEvent } from "../message-events.ts";
import { exceptionName } from "./aws-error.ts";
import { awsEvent, awsException, damagedFrame } from "./aws-event-stream.ts";
import { jsonAnswer, type CloudError, type Framing, type WholeAnswer } from "./dialect.ts";

/** A guardrail that a request named. */
export interface GuardrailUse {
  readonly identifier: string;
  readonly version: string;
  readonly isTraced: boolean;
}

/** Exceptions that Bedrock's response stream knows. */
const STREAM_EXCEPTIONS: Readonly<Record<number, string>> = {
  400: "validationException",
  408: "modelTimeoutException",
  424: "modelStreamErrorException",
  429: "throttlingException",
  500: "internalServerException",
};

/** Answers of InvokeModel: Messages events as base64 in `chunk` frames, without pings, with metrics in the last one. */
export class BedrockFraming implements Framing {
  readonly streamHeaders: Readonly<Record<string, string>>;
  readonly #headers: Readonly<Record<string, string>>;
  readonly #guardrail: GuardrailUse | null;
  #usage: JsonObject = {};

  constructor(requestId: string, guardrail: GuardrailUse | null) {
    this.#guardrail = guardrail;
    this.#headers = {
      "x-amzn-requestid": requestId,
      ...(guardrail === null
        ? {}
        : {
            "x-amzn-bedrock-guardrailidentifier": guardrail.identifier,
            "x-amzn-bedrock-guardrailversion": guardrail.version,
          }),
    };
    this.streamHeaders = {
      "content-type": "application/vnd.amazon.eventstream",
      "x-amzn-bedrock-content-type": "application/json",
      ...this.#headers,
    };
  }

  whole(message: JsonObject): WholeAnswer {
    const usage = isObject(message["usage"]) ? message["usage"] : {};
    const headers = {
      ...this.#headers,
      "x-amzn-bedrock-invocation-latency": "40",
      "x-amzn-bedrock-input-token-count": countOf(usage, "input_tokens"),
      "x-amzn-bedrock-output-token-count": countOf(usage, "output_tokens"),
      "x-amzn-bedrock-cache-read-input-token-count": countOf(usage, "cache_read_input_tokens"),
      "x-amzn-bedrock-cache-write-input-token-count": countOf(usage, "cache_creation_input_tokens"),
    };
    return jsonAnswer({ ...message, ...this.#guardrailMembers() }, headers);
  }

  events({ name, data }: MessageEvent): readonly Buffer[] {
    if (name === "ping") return [];
    if (name === "error") return [this.errorEvent(inBandError(data))];
    this.#noteUsage(data);
    if (name !== "message_stop") return [chunk(data)];
    const metrics = {
      inputTokenCount: this.#usage["input_tokens"],
      outputTokenCount: this.#usage["output_tokens"],
      invocationLatency: 40,
      firstByteLatency: 12,
      cacheReadInputTokenCount: this.#usage["cache_read_input_tokens"] ?? 0,
      cacheWriteInputTokenCount: this.#usage["cache_creation_input_tokens"] ?? 0,
    };
    return [chunk({ ...data, ...this.#guardrailMembers(), "amazon-bedrock-invocationMetrics": metrics })];
  }

  errorEvent(error: CloudError): Buffer {
    const known = STREAM_EXCEPTIONS[error.status] ?? "serviceUnavailableException";
    const name = error.code === undefined ? known : lowerFirst(exceptionName(error));
    const extra =
      name === "modelStreamErrorException" ? { originalStatusCode: error.status, originalMessage: error.message } : {};
    return awsException(name, { message: error.message, ...extra });
  }

  damage(event: Buffer): Buffer {
    return damagedFrame(event);
  }

  #noteUsage(data: MessageEvent["data"]): void {
    const started = isObject(data["message"]) ? data["message"]["usage"] : undefined;
    const usage = data["usage"] ?? started;
    if (isObject(usage)) this.#usage = { ...this.#usage, ...usage };
  }

  #guardrailMembers(): JsonObject {
    if (this.#guardrail === null) return {};
    const { identifier, isTraced } = this.#guardrail;
    const trace = { guardrail: { input: { [identifier]: {} } } };
    return { "amazon-bedrock-guardrailAction": "NONE", ...(isTraced ? { "amazon-bedrock-trace": trace } : {}) };
  }
}

/** A frame with one event of Messages; `p` is padding, which the real service adds in varying length. */
function chunk(data: MessageEvent["data"]): Buffer {
  const bytes = Buffer.from(JSON.stringify(data));
  const padding = "abcdefghijklmnopqrstuvwxyz".slice(0, bytes.length % 26);
  return awsEvent("chunk", "application/json", JSON.stringify({ bytes: bytes.toString("base64"), p: padding }));
}

function inBandError(data: MessageEvent["data"]): CloudError {
  const error = isObject(data["error"]) ? data["error"] : {};
  return { status: 503, message: textOf(error, "message") };
}

function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

function countOf(usage: JsonObject, name: string): string {
  return typeof usage[name] === "number" ? String(usage[name]) : "0";
}
