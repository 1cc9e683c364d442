import { randomUUID } from "node:crypto";

import { isObject, type JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import { AwsGate, type AwsGateOptions } from "./aws-auth.ts";
import { BedrockFraming, type GuardrailUse } from "./bedrock-framing.ts";
import { BEDROCK_RULES } from "./bedrock-rules.ts";
import { awsErrorAnswer } from "./aws-error.ts";
import { headerOf, type CloudRequest } from "./cloud-request.ts";
import {
  declined,
  jsonAnswer,
  violation,
  type CloudError,
  type Dialect,
  type Question,
  type Verdict,
  type WholeAnswer,
} from "./dialect.ts";
import { jsonBody } from "./json-body.ts";
import { brokenRule } from "./messages-rules.ts";
import { bedrockModel } from "./model-names.ts";

const ACCOUNT = "111122223333";
const EVENT_STREAM = "application/vnd.amazon.eventstream";
const ACCEPTED: Readonly<Record<string, readonly string[]>> = {
  invoke: ["*/*", "application/json"],
  "invoke-with-response-stream": ["*/*", "application/json", EVENT_STREAM],
  "count-tokens": ["*/*", "application/json"],
};
/** Bedrock's own version and the one that Anthropic's SDK sends since 1.0 → what the Messages API calls them. */
const VERSIONS: ReadonlyMap<unknown, string> = new Map([
  ["bedrock-2023-05-31", "2023-06-01"],
  ["2026-10-21", "2026-10-21"],
]);
const TRACES = ["ENABLED", "DISABLED", "ENABLED_FULL"];

export interface BedrockOptions extends Partial<Omit<AwsGateOptions, "service">> {
  /** Application inference profiles and provisioned models: the id at the end of the ARN → a model id of Bedrock. */
  readonly profiles?: Readonly<Record<string, string>>;
  /** Betas accepted besides those that AWS documents, by the beginnings of their names. */
  readonly betas?: readonly string[];
}

/** Amazon Bedrock's InvokeModel, InvokeModelWithResponseStream, CountTokens and ListInferenceProfiles. */
export class BedrockCloud implements Dialect {
  readonly name = "bedrock";
  readonly gate: AwsGate;
  readonly promptTooLong: CloudError = { status: 400, message: "Input is too long for requested model." };
  readonly #profiles: Readonly<Record<string, string>>;
  readonly #betas: readonly string[];

  constructor(options: BedrockOptions = {}) {
    this.gate = new AwsGate({ ...options, service: "bedrock" });
    this.#profiles = options.profiles ?? {};
    this.#betas = options.betas ?? [];
  }

  /** The ARN of an application inference profile that `profiles` names. */
  profileArn(id: string): string {
    return `arn:aws:bedrock:${this.gate.region}:${ACCOUNT}:application-inference-profile/${id}`;
  }

  error(error: CloudError): WholeAnswer {
    return awsErrorAnswer(error, "com.amazon.bedrock");
  }

  judge(request: CloudRequest): Verdict {
    this.gate.check(request);
    const [, id, operation] = /^\/model\/([^/]+)\/([a-z-]+)$/.exec(request.path) ?? [];
    if (request.method === "GET" && request.path === "/inference-profiles") return this.#listProfiles(request);
    const accepted = ACCEPTED[operation ?? ""];
    if (request.method !== "POST" || id === undefined || accepted === undefined) throw unknownOperation();
    if (request.query.size > 0) throw invalid(`the query ${request.query.toString()} means nothing to Bedrock`);
    const accept = headerOf(request, "accept") ?? "*/*";
    if (!accept.split(",").some((one) => accepted.includes(one.split(";", 1)[0]?.trim() ?? ""))) {
      throw invalid(`The provided accept ${accept} is not supported`);
    }
    const model = this.#model(decodeURIComponent(id));
    return operation === "count-tokens"
      ? this.#count(request, model)
      : this.#invoke(request, model, operation === "invoke-with-response-stream");
  }

  #invoke(request: CloudRequest, { id, model }: NamedModel, isStream: boolean): Verdict {
    const guardrail = guardrailOf(request);
    const body = readBody(request);
    if (guardrail === null && body["amazon-bedrock-guardrailConfig"] !== undefined) {
      throw invalid("amazon-bedrock-guardrailConfig is in the body but no guardrail identifier is in the headers");
    }
    const question = this.#question(body, model);
    return { kind: "infer", question, isStream, model: id, framing: new BedrockFraming(randomUUID(), guardrail) };
  }

  #count(request: CloudRequest, { model, isBare }: NamedModel): Verdict {
    if (!isBare) {
      throw declined({ status: 400, message: "The provided model doesn't support counting tokens." });
    }
    const { input } = readBody(request);
    const invoke = isObject(input) ? input["invokeModel"] : null;
    const encoded = isObject(invoke) ? invoke["body"] : null;
    if (typeof encoded !== "string") throw invalid("input.invokeModel.body must be the request's body in base64");
    const bytes = Buffer.from(encoded, "base64");
    if (bytes.toString("base64") !== encoded) throw invalid("input.invokeModel.body is no base64");
    const inner: unknown = parseJson(bytes.toString("utf8"));
    if (!isObject(inner)) throw invalid("input.invokeModel.body holds no JSON object");
    const { body, version = "2023-06-01" } = this.#question(inner, model);
    const { max_tokens: _, ...counted } = body;
    const render = (inputTokens: number): WholeAnswer =>
      jsonAnswer({ inputTokens }, { "x-amzn-requestid": randomUUID() });
    return { kind: "count", question: { body: counted, betas: [], version }, render };
  }

  /** The Messages request in a body of InvokeModel, after every check that Bedrock makes of it. */
  #question(body: JsonObject, model: string): Question {
    const missing = ["anthropic_version", "max_tokens", "messages"].find((name) => body[name] === undefined);
    if (missing !== undefined) {
      const message = `Malformed input request: #: required key [${missing}] not found, please reformat your input and try again.`;
      throw missing === "anthropic_version" ? invalid(message) : declined({ status: 400, message });
    }
    const version = VERSIONS.get(body["anthropic_version"]);
    if (version === undefined) {
      const sent = JSON.stringify(body["anthropic_version"]);
      throw invalid(`anthropic_version: Input should be one of '${[...VERSIONS.keys()].join("', '")}', not ${sent}`);
    }
    const betas = stringsOf(body["anthropic_beta"]);
    if (betas === null) throw invalid("anthropic_beta: Input should be a list of strings");
    const known = BEDROCK_RULES.betas === "any" ? "any" : [...BEDROCK_RULES.betas, ...this.#betas];
    const broken = brokenRule(body, betas, { ...BEDROCK_RULES, betas: known });
    if (broken?.isGateways === true) throw invalid(broken.message);
    if (broken !== null) throw declined({ status: 400, message: broken.message });
    const { anthropic_version: _, anthropic_beta: __, ...rest } = body;
    const messages = Object.fromEntries(Object.entries(rest).filter(([name]) => !name.startsWith("amazon-bedrock-")));
    return { body: { ...messages, model }, betas, version };
  }

  #model(id: string): NamedModel {
    const arn = /^arn:aws[a-z-]*:bedrock:([a-z0-9-]*):(\d*):([a-z-]+)\/(.+)$/.exec(id);
    const [, region, , type, resource = ""] = arn ?? [];
    if (region !== undefined && region !== this.gate.region) {
      throw invalid(`The provided ARN is of region ${region}, this is ${this.gate.region}`);
    }
    const isOwn = type === "application-inference-profile" || type === "provisioned-model";
    const named = isOwn ? (this.#profiles[resource] ?? "") : arn === null ? id : resource;
    const known = bedrockModel(named);
    if (known === null) throw declined({ status: 400, message: "The provided model identifier is invalid." });
    return { id, model: known.model, isBare: known.isBare && !isOwn };
  }

  #listProfiles(request: CloudRequest): Verdict {
    const type = request.query.get("type") ?? "SYSTEM_DEFINED";
    const ids = type === "APPLICATION" ? Object.keys(this.#profiles) : ["eu.anthropic.claude-sonnet-5-5-v1:0"];
    const inferenceProfileSummaries = ids.map((id) => ({
      inferenceProfileName: id,
      inferenceProfileId: id,
      inferenceProfileArn:
        type === "APPLICATION"
          ? this.profileArn(id)
          : `arn:aws:bedrock:${this.gate.region}:${ACCOUNT}:inference-profile/${id}`,
      models: [
        {
          modelArn: `arn:aws:bedrock:${this.gate.region}::foundation-model/${(this.#profiles[id] ?? id).replace(/^eu\./, "")}`,
        },
      ],
      status: "ACTIVE",
      type,
      createdAt: "2026-09-01T00:00:00Z",
      updatedAt: "2026-09-01T00:00:00Z",
    }));
    const answer = jsonAnswer({ inferenceProfileSummaries }, { "x-amzn-requestid": randomUUID() });
    return { kind: "answer", answer, charged: null };
  }
}

interface NamedModel {
  /** As the request named it. */
  readonly id: string;
  readonly model: string;
  readonly isBare: boolean;
}

function readBody(request: CloudRequest): JsonObject {
  return jsonBody(request, {
    wrongType: (type) => ({ status: 400, message: `The content type ${type} is not supported` }),
    notJson: () => ({ status: 400, message: "Malformed input request, please reformat your input and try again." }),
  });
}

/** The guardrail that the headers name; they come together or not at all. */
function guardrailOf(request: CloudRequest): GuardrailUse | null {
  const identifier = headerOf(request, "x-amzn-bedrock-guardrailidentifier");
  const version = headerOf(request, "x-amzn-bedrock-guardrailversion");
  const trace = headerOf(request, "x-amzn-bedrock-trace");
  if (trace !== null && !TRACES.includes(trace)) throw invalid(`The trace ${trace} is none of ${TRACES.join(", ")}`);
  if (identifier === null && version === null) return null;
  if (identifier === null) throw invalid("A guardrail version was given without a guardrail identifier");
  if (version === null) throw invalid("A guardrail identifier was given without a guardrail version");
  if (!/^(?:DRAFT|[1-9]\d{0,7})$/.test(version)) throw invalid(`${version} is no guardrail version`);
  return { identifier, version, isTraced: trace === "ENABLED" || trace === "ENABLED_FULL" };
}

/** The list's strings; null when it is no list of strings. */
function stringsOf(value: unknown): readonly string[] | null {
  if (value === undefined) return [];
  if (!Array.isArray(value) || !value.every((item) => typeof item === "string")) return null;
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** A gateway's mistake, in the words of a ValidationException. */
function invalid(message: string): Error {
  return violation({ status: 400, message });
}

function unknownOperation(): Error {
  return violation({ status: 404, code: "UnknownOperationException", message: "" }, "Bedrock has no such operation");
}
