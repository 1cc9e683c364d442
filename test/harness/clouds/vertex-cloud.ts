import type { Clock } from "../../../src/core/clock.ts";
import type { JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import { COMMON_MEMBERS, FIRST_PARTY_MEMBERS } from "./bedrock-rules.ts";
import type { CloudRequest } from "./cloud-request.ts";
import {
  declined,
  jsonAnswer,
  Refusal,
  violation,
  type CloudError,
  type Dialect,
  type Question,
  type Verdict,
  type WholeAnswer,
} from "./dialect.ts";
import { jsonBody } from "./json-body.ts";
import { betasOf } from "./messages-endpoint.ts";
import { MESSAGES_PROMPT_TOO_LONG, messagesError } from "./messages-error.ts";
import { brokenRule, type MessagesRules } from "./messages-rules.ts";
import { vertexModel } from "./model-names.ts";
import { newRequestId } from "./request-id.ts";
import { SseFraming } from "./sse-framing.ts";
import { TokenBook } from "./tokens.ts";

export const TEST_GOOGLE_PROJECT = "weir-stand-in";
export const TEST_GOOGLE_REGION = "europe-west1";
export const TEST_GOOGLE_TOKEN = "ya29.stand-in-token";

const PATH =
  /^(?:\/v1)?\/projects\/([^/]+)\/locations\/([^/]+)\/publishers\/anthropic\/models\/([^/:]+):(rawPredict|streamRawPredict)$/;
/** Google's own version and the one that Anthropic's SDK sends since 1.0 → what the Messages API calls them. */
const VERSIONS: ReadonlyMap<unknown, string> = new Map([
  ["vertex-2023-10-16", "2023-06-01"],
  ["2026-10-21", "2026-10-21"],
]);
const STATUS_NAMES: Readonly<Record<number, string>> = {
  400: "INVALID_ARGUMENT",
  401: "UNAUTHENTICATED",
  403: "PERMISSION_DENIED",
  404: "NOT_FOUND",
  429: "RESOURCE_EXHAUSTED",
  500: "INTERNAL",
  501: "UNIMPLEMENTED",
  503: "UNAVAILABLE",
  504: "DEADLINE_EXCEEDED",
};
/** What the model's own validator answers, which Google passes on in the Messages envelope. */
const OF_THE_MODEL = new Set([400, 413, 529]);

const RULES: MessagesRules = {
  members: new Set([...COMMON_MEMBERS, "stream", "anthropic_version", "anthropic_beta", "cache_control"]),
  firstPartyMembers: FIRST_PARTY_MEMBERS,
  memberBetas: { context_management: "context-management-" },
  betas: "any",
  toolTypes: /^(?:bash|text_editor|computer|memory)_\d{8}$|^tool_search_tool_|^web_search_\d{8}$/,
  sources: new Set(["base64", "text", "content"]),
};

export interface VertexOptions {
  /** Default: TEST_GOOGLE_PROJECT. */
  readonly projects?: readonly string[];
  /** Default: TEST_GOOGLE_REGION. */
  readonly regions?: readonly string[];
  /** Default: TEST_GOOGLE_TOKEN alone. */
  readonly tokens?: readonly string[];
  readonly clock?: Clock;
}

/** Claude on Google Cloud's Agent Platform (Vertex AI): rawPredict, streamRawPredict and count-tokens. */
export class VertexCloud implements Dialect {
  readonly name = "vertex";
  readonly promptTooLong = MESSAGES_PROMPT_TOO_LONG;
  readonly tokens: TokenBook;
  readonly #projects: readonly string[];
  readonly #regions: readonly string[];

  constructor(options: VertexOptions = {}) {
    this.tokens = new TokenBook(options.tokens ?? [TEST_GOOGLE_TOKEN], options.clock);
    this.#projects = options.projects ?? [TEST_GOOGLE_PROJECT];
    this.#regions = options.regions ?? [TEST_GOOGLE_REGION];
  }

  error(error: CloudError, request: CloudRequest): WholeAnswer {
    if (OF_THE_MODEL.has(error.status)) {
      const requestId = newRequestId("req_vrtx_");
      return jsonAnswer(messagesError(error, requestId), { "request-id": requestId, ...error.headers }, error.status);
    }
    const status = error.code ?? STATUS_NAMES[error.status] ?? "UNKNOWN";
    const body = { error: { code: error.status, message: error.message, status } };
    // Google's streaming methods answer with a JSON array, of one element when it is an error.
    const isStreaming = request.path.endsWith(":streamRawPredict");
    return jsonAnswer(isStreaming ? [body] : body, { ...error.headers }, error.status);
  }

  judge(request: CloudRequest): Verdict {
    this.#authorize(request);
    const [, project, region, encoded = "", method] = PATH.exec(request.path) ?? [];
    if (project === undefined || region === undefined || request.method !== "POST") throw notFound(request);
    if (request.query.size > 0)
      throw violation({
        status: 400,
        message: `Invalid JSON payload received. Unknown name "${request.query.toString()}"`,
      });
    if (!this.#projects.includes(project)) {
      const message = `Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/${project}/locations/${region}' (or it may not exist).`;
      throw violation({ status: 403, message });
    }
    if (!this.#regions.includes(region)) {
      throw violation({ status: 404, message: `Location ${region} is not found or access is unauthorized.` });
    }
    const name = decodeURIComponent(encoded);
    const body = readBody(request);
    return name === "count-tokens"
      ? count(request, body)
      : infer(request, body, { name, isStream: method === "streamRawPredict" });
  }

  #authorize(request: CloudRequest): void {
    const state = this.tokens.stateOf(request);
    if (state === "valid") return;
    const message =
      "Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.";
    const problem = state === "expired" ? null : `the bearer token is ${state}`;
    throw new Refusal({ status: 401, message }, problem);
  }
}

function infer(
  request: CloudRequest,
  body: JsonObject,
  { name, isStream }: { name: string; isStream: boolean },
): Verdict {
  if (body["anthropic_version"] === undefined) throw invalid("anthropic_version: Field required");
  if (body["model"] !== undefined) throw invalid("model: Extra inputs are not permitted");
  if (isStream !== (body["stream"] === true)) {
    throw invalid(`stream: ${isStream ? "streamRawPredict needs stream: true" : "rawPredict does not stream"}`);
  }
  const question = questionOf(request, body);
  const model = vertexModel(name);
  if (model === null) throw unknownModel(name);
  const requestId = newRequestId("req_vrtx_");
  const framing = new SseFraming(
    { "request-id": requestId, "x-vertex-ai-internal-prediction-backend": "harpoon" },
    requestId,
  );
  return {
    kind: "infer",
    question: { ...question, body: { ...question.body, model } },
    isStream,
    model: name,
    framing,
  };
}

function count(request: CloudRequest, body: JsonObject): Verdict {
  const { model: named, ...rest } = body;
  if (typeof named !== "string") throw invalid("model: Field required");
  const question = questionOf(request, rest);
  const model = vertexModel(named);
  if (model === null) throw unknownModel(named);
  const render = (inputTokens: number): WholeAnswer => jsonAnswer({ input_tokens: inputTokens });
  return { kind: "count", question: { ...question, body: { ...question.body, model } }, render };
}

function questionOf(request: CloudRequest, body: JsonObject): Question {
  const inBody = body["anthropic_beta"] ?? [];
  if (!Array.isArray(inBody) || !inBody.every((beta) => typeof beta === "string")) {
    throw invalid("anthropic_beta: Input should be a list of strings");
  }
  // The SDK leaves betas in the header, Claude Code's gateway puts them into the body; one list twice is no mistake.
  const betas = inBody.length > 0 ? inBody : betasOf(request);
  const broken = brokenRule(body, betas, RULES);
  if (broken?.isGateways === true) throw invalid(broken.message);
  if (broken !== null) throw declined({ status: 400, message: broken.message });
  const { anthropic_version: sent, anthropic_beta: _, ...messages } = body;
  const version = sent === undefined ? "2023-06-01" : VERSIONS.get(sent);
  if (version !== undefined) return { body: messages, betas, version };
  throw invalid(`anthropic_version: Input should be one of '${[...VERSIONS.keys()].join("', '")}'`);
}

function readBody(request: CloudRequest): JsonObject {
  return jsonBody(request, {
    wrongType: (type) => ({ status: 400, message: `Unsupported content type ${type}` }),
    notJson: (reason) => ({ status: 400, message: `Invalid JSON payload received. ${reason}` }),
  });
}

function unknownModel(name: string): Error {
  const message = `Publisher Model \`publishers/anthropic/models/${name}\` was not found or your project does not have access to it.`;
  return declined({ status: 404, message });
}

function notFound(request: CloudRequest): Error {
  return violation({ status: 404, message: `The requested URL ${request.path} was not found on this server.` });
}

function invalid(message: string): Error {
  return violation({ status: 400, message });
}
