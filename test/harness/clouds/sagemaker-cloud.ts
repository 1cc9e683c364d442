import { randomUUID } from "node:crypto";

import type { JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import { encodeEvent, type MessageEvent } from "../message-events.ts";
import { AwsGate, type AwsGateOptions } from "./aws-auth.ts";
import { awsErrorAnswer, exceptionName } from "./aws-error.ts";
import { awsEvent, awsException, damagedFrame } from "./aws-event-stream.ts";
import { headerOf, type CloudRequest } from "./cloud-request.ts";
import {
  declined,
  jsonAnswer,
  violation,
  type CloudError,
  type Dialect,
  type Framing,
  type Verdict,
  type WholeAnswer,
} from "./dialect.ts";
import { jsonBody } from "./json-body.ts";
import { MESSAGES_PROMPT_TOO_LONG, messagesError } from "./messages-error.ts";
import { anthropicModel } from "./model-names.ts";

const PATH = /^\/endpoints\/([A-Za-z0-9](?:-*[A-Za-z0-9]){0,62})\/(invocations|invocations-response-stream)$/;

export interface SageMakerOptions extends Partial<Omit<AwsGateOptions, "service" | "bearers">> {
  /** Names of the endpoints → the engine's model; default: every model's own id is an endpoint. */
  readonly endpoints?: Readonly<Record<string, string>>;
}

/** A container that speaks Messages behind an endpoint of Amazon SageMaker. */
export class SageMakerCloud implements Dialect {
  readonly name = "sagemaker";
  readonly gate: AwsGate;
  /** The container's 400, which SageMaker passes on as its own kind of error. */
  readonly promptTooLong: CloudError = { ...MESSAGES_PROMPT_TOO_LONG, code: "ModelError" };
  readonly #endpoints: Readonly<Record<string, string>>;

  constructor(options: SageMakerOptions = {}) {
    this.gate = new AwsGate({ ...options, bearers: [], service: "sagemaker" });
    this.#endpoints = options.endpoints ?? {};
  }

  /** What the container refuses comes as 424 with its answer as text; what SageMaker refuses is AWS's own error. */
  error(error: CloudError): WholeAnswer {
    if (error.code !== "ModelError") return awsErrorAnswer(error, "com.amazonaws.sagemaker.runtime");
    const original = JSON.stringify(messagesError({ status: error.status, message: error.message }, null));
    const body = {
      ErrorCode: "CLIENT_ERROR_FROM_MODEL",
      LogStreamArn: "",
      OriginalMessage: original,
      OriginalStatusCode: error.status,
      message: `Received client error (${error.status}) from primary with message "${original}".`,
    };
    return jsonAnswer(
      body,
      { "x-amzn-errortype": "ModelError", "x-amzn-requestid": randomUUID(), ...error.headers },
      424,
    );
  }

  judge(request: CloudRequest): Verdict {
    this.gate.check(request);
    const [, endpoint, operation] = PATH.exec(request.path) ?? [];
    if (endpoint === undefined || request.method !== "POST") {
      throw violation(
        { status: 404, code: "UnknownOperationException", message: "" },
        "SageMaker has no such operation",
      );
    }
    const model = this.#endpoints[endpoint] ?? anthropicModel(endpoint);
    if (model === null)
      throw declined({
        status: 400,
        code: "ValidationError",
        message: `Endpoint ${endpoint} of account 111122223333 not found.`,
      });
    const isStream = operation === "invocations-response-stream";
    const accept = headerOf(request, "accept") ?? "*/*";
    const body = jsonBody(request, {
      wrongType: (type) => ({ status: 415, code: "ModelError", message: `Unsupported media type ${type}` }),
      notJson: (reason) => ({ status: 400, code: "ModelError", message: `invalid JSON: ${reason}` }),
    });
    if (isStream !== (body["stream"] === true)) {
      throw violation({
        status: 400,
        code: "ModelError",
        message: `stream is ${String(body["stream"])} in a request to ${operation}`,
      });
    }
    const question = { body: { ...body, model }, betas: [] };
    return { kind: "infer", question, isStream, model: endpoint, framing: new SageMakerFraming(accept) };
  }
}

/** Answers of SageMaker: the container's bytes, streams in `PayloadPart` frames that care for no boundary of its events. */
class SageMakerFraming implements Framing {
  readonly streamHeaders: Readonly<Record<string, string>>;
  readonly #headers: Readonly<Record<string, string>>;

  constructor(accept: string) {
    this.#headers = { "x-amzn-requestid": randomUUID(), "x-amzn-invoked-production-variant": "primary" };
    this.streamHeaders = {
      "content-type": "application/vnd.amazon.eventstream",
      "x-amzn-sagemaker-content-type": accept.includes("json") ? "text/event-stream" : accept,
      ...this.#headers,
    };
  }

  whole(message: JsonObject): WholeAnswer {
    return jsonAnswer(message, this.#headers);
  }

  events(event: MessageEvent): readonly Buffer[] {
    const bytes = encodeEvent(event);
    const middle = Math.floor(bytes.length / 2);
    return [bytes.subarray(0, middle), bytes.subarray(middle)].map((part) =>
      awsEvent("PayloadPart", "application/octet-stream", part),
    );
  }

  errorEvent(error: CloudError): Buffer {
    const isModels = error.code === undefined || error.code === "ModelStreamError";
    if (!isModels) return awsException(exceptionName(error), { Message: error.message });
    return awsException("ModelStreamError", { Message: error.message, ErrorCode: "StreamBroken" });
  }

  damage(event: Buffer): Buffer {
    return damagedFrame(event);
  }
}
