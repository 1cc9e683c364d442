import type { InputTokenCountParams } from "openai/resources/responses/input-tokens";

import type { Clock } from "../../../../src/core/clock.ts";
import type { JsonObject } from "../../../../src/upstream/sandbox/json-value.ts";
import { authorizeAzure, TEST_AZURE_KEY } from "../azure-auth.ts";
import { bearerOf, type CloudRequest } from "../cloud-request.ts";
import {
  declined,
  jsonAnswer,
  violation,
  type CloudError,
  type Dialect,
  type Verdict,
  type WholeAnswer,
} from "../dialect.ts";
import { jsonBody } from "../json-body.ts";
import { STAND_IN_MODEL } from "../model-names.ts";
import { newRequestId } from "../request-id.ts";
import { TokenBook } from "../tokens.ts";
import { onlyMembers } from "./check-members.ts";
import { ChatFraming } from "./chat-framing.ts";
import { readChat, type ChatProfile } from "./chat-question.ts";
import { answerEmbeddings } from "./embeddings.ts";
import { openAiError, wrongShape } from "./openai-error.ts";
import { ResponsesFraming } from "./responses-framing.ts";
import { readResponses } from "./responses-question.ts";

export const TEST_OPENAI_KEY = "sk-proj-stand-in";
export const TEST_OPENAI_MODEL = "gpt-5.2";
export const TEST_EMBEDDING_MODEL = "text-embedding-3-small";

export interface OpenAiOptions {
  /**
   * `openai`: OpenAI's own service; `compatible`: a server such as vLLM, with reasoning in `reasoning_content` and without
   * OpenAI's rules for its models; `azure`: Azure OpenAI.
   */
  readonly flavour?: "openai" | "compatible" | "azure";
  /** Keys; `none` for a compatible server that asks for none. */
  readonly keys?: readonly string[] | "none";
  /** Azure: Entra tokens. */
  readonly tokens?: readonly string[];
  /** Models, or Azure's deployments, by name → what they are: for Azure the underlying model. */
  readonly models?: Readonly<Record<string, string>>;
  readonly clock?: Clock;
}

type Operation = "chat/completions" | "responses" | "responses/input_tokens" | "embeddings";
const PLAIN_PATH = /^\/v1\/(chat\/completions|responses|responses\/input_tokens|embeddings)$/;
const AZURE_V1_PATH = /^\/openai\/v1\/(chat\/completions|responses|embeddings)$/;
const AZURE_DEPLOYMENT_PATH = /^\/openai\/deployments\/([^/]+)\/(chat\/completions|embeddings)$/;
const AZURE_API_VERSION = /^\d{4}-\d{2}-\d{2}(?:-preview)?$/;
/** Members of Responses that a count of their tokens takes too. */
const COUNTED_MEMBERS = [
  "conversation",
  "input",
  "instructions",
  "model",
  "parallel_tool_calls",
  "personality",
  "previous_response_id",
  "reasoning",
  "text",
  "tool_choice",
  "tools",
  "truncation",
] as const satisfies readonly (keyof InputTokenCountParams)[];
/** Members of compatible servers that OpenAI refuses. */
const COMPATIBLE_MEMBERS = ["top_k", "min_p", "repetition_penalty", "chat_template_kwargs", "include_reasoning"];

/** OpenAI's Chat Completions, Responses and Embeddings: as OpenAI, a compatible server, or Azure OpenAI has them. */
export class OpenAiCloud implements Dialect {
  readonly name: string;
  readonly tokens: TokenBook;
  readonly promptTooLong: CloudError = {
    status: 400,
    code: "context_length_exceeded",
    param: "messages",
    message:
      "Input tokens exceed the configured limit of 272000 tokens. Your messages resulted in 300000 tokens. Please reduce the length of the messages.",
  };
  readonly #flavour: NonNullable<OpenAiOptions["flavour"]>;
  readonly #keys: readonly string[] | "none";
  readonly #models: Readonly<Record<string, string>>;

  constructor(options: OpenAiOptions = {}) {
    this.#flavour = options.flavour ?? "openai";
    this.name = this.#flavour === "azure" ? "azure-openai" : "openai";
    this.#keys = options.keys ?? [this.#flavour === "azure" ? TEST_AZURE_KEY : TEST_OPENAI_KEY];
    this.tokens = new TokenBook(options.tokens ?? [], options.clock);
    this.#models = options.models ?? {
      [TEST_OPENAI_MODEL]: TEST_OPENAI_MODEL,
      [TEST_EMBEDDING_MODEL]: TEST_EMBEDDING_MODEL,
    };
  }

  error(error: CloudError): WholeAnswer {
    const headers = { ...this.#headers(), ...error.headers };
    // Azure's front end has a form of its own, without type and param.
    const isFrontEnd = this.#flavour === "azure" && /^\d{3}$|^DeploymentNotFound$/.test(error.code ?? "");
    const body = isFrontEnd ? { code: error.code, message: error.message } : openAiError(error);
    return jsonAnswer({ error: body }, headers, error.status);
  }

  judge(request: CloudRequest): Verdict {
    this.#authorize(request);
    if (request.method === "GET" && request.path.endsWith("/v1/models")) return this.#list();
    const { operation, deployment } = this.#route(request);
    if (request.method !== "POST") throw violation({ status: 405, message: "Not allowed" });
    const body = jsonBody(request, {
      wrongType: (type) => ({
        status: 415,
        message: `Unsupported content type: '${type}'. This API method only accepts 'application/json' requests.`,
      }),
      notJson: (reason) => ({ status: 400, message: `We could not parse the JSON body of your request. (${reason})` }),
    });
    const named = deployment ?? body["model"];
    if (typeof named !== "string" || named === "") throw wrongShape("you must provide a model parameter", "model");
    return this.#ask(operation, body, { named, underlying: this.#model(named) });
  }

  #ask(operation: Operation, body: JsonObject, model: { named: string; underlying: string }): Verdict {
    const headers = this.#headers();
    const isCompatible = this.#flavour === "compatible";
    const profile: ChatProfile = {
      model: model.underlying,
      engineModel: STAND_IN_MODEL,
      extraMembers: isCompatible ? COMPATIBLE_MEMBERS : [],
      isOpenAi: !isCompatible,
    };
    // Azure answers with the underlying model's name, not with the deployment's.
    const answering = this.#flavour === "azure" ? model.underlying : model.named;
    if (operation === "embeddings") {
      const answer = answerEmbeddings(body, answering, headers);
      return { kind: "answer", answer, charged: { model: model.named } };
    }
    if (operation === "responses/input_tokens") {
      onlyMembers(body, COUNTED_MEMBERS, "");
      const { max_tokens: _, ...asked } = readResponses(body, profile).body;
      const render = (inputTokens: number): WholeAnswer =>
        jsonAnswer({ object: "response.input_tokens", input_tokens: inputTokens }, headers);
      return { kind: "count", question: { body: asked, betas: [] }, render };
    }
    if (operation === "responses") {
      const { body: asked, isStream, ...rest } = readResponses(body, profile);
      const framing = new ResponsesFraming({ model: answering, headers, ...rest });
      return { kind: "infer", question: { body: asked, betas: [] }, isStream, model: model.named, framing };
    }
    const { body: asked, isStream, includesUsage } = readChat(body, profile);
    const isAzure = this.#flavour === "azure";
    const framing = new ChatFraming({
      model: answering,
      includesUsage,
      isAzure,
      showsReasoning: isCompatible,
      headers,
    });
    return { kind: "infer", question: { body: asked, betas: [] }, isStream, model: model.named, framing };
  }

  #authorize(request: CloudRequest): void {
    if (this.#flavour === "azure") {
      const keys = this.#keys === "none" ? [] : this.#keys;
      return authorizeAzure(request, { keys, tokens: this.tokens, keyHeaders: ["api-key"] });
    }
    const bearer = bearerOf(request);
    const stray = ["x-api-key", "api-key"].find((name) => request.headers[name] !== undefined);
    if (stray !== undefined)
      throw violation({ status: 401, message: "You didn't provide an API key." }, `the key came in ${stray}`);
    if (this.#keys === "none") {
      if (bearer !== null) throw violation({ status: 400, message: "this server asks for no credential" });
      return;
    }
    if (bearer === null)
      throw violation({
        status: 401,
        message:
          "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth.",
      });
    if (this.#keys.includes(bearer)) return;
    throw violation({ status: 401, message: `Incorrect API key provided: ${bearer.slice(0, 4)}****.` });
  }

  #route(request: CloudRequest): { operation: Operation; deployment: string | null } {
    const { path, query } = request;
    if (this.#flavour !== "azure") {
      if (query.size > 0)
        throw violation({ status: 404, message: `Unknown request URL: ${request.method} ${request.url}` });
      return { operation: this.#operation(PLAIN_PATH.exec(path)?.[1], request), deployment: null };
    }
    const [, deployment, scoped] = AZURE_DEPLOYMENT_PATH.exec(path) ?? [];
    if (deployment === undefined)
      return { operation: this.#operation(AZURE_V1_PATH.exec(path)?.[1], request), deployment: null };
    const version = query.get("api-version");
    // Azure answers 404 where the version is missing or unknown.
    if (version === null || !AZURE_API_VERSION.test(version)) throw notFound("api-version is missing or no version");
    return { operation: this.#operation(scoped, request), deployment: decodeURIComponent(deployment) };
  }

  #operation(found: string | undefined, request: CloudRequest): Operation {
    if (found === "chat/completions" || found === "responses" || found === "embeddings") return found;
    if (found === "responses/input_tokens" && this.#flavour === "openai") return found;
    if (this.#flavour === "azure") throw notFound("there is no such path");
    throw violation({ status: 404, message: `Invalid URL (${request.method} ${request.path})` });
  }

  #model(named: string): string {
    const underlying = this.#models[named];
    if (underlying !== undefined) return underlying;
    if (this.#flavour !== "azure") {
      const message = `The model \`${named}\` does not exist or you do not have access to it.`;
      throw declined({ status: 404, code: "model_not_found", message });
    }
    const message =
      "The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.";
    throw declined({ status: 404, code: "DeploymentNotFound", message });
  }

  #list(): Verdict {
    const data = Object.keys(this.#models).map((id) => ({
      id,
      object: "model",
      created: 1_790_000_000,
      owned_by: "stand-in",
    }));
    return { kind: "answer", answer: jsonAnswer({ object: "list", data }, this.#headers()), charged: null };
  }

  #headers(): Record<string, string> {
    const requestId = newRequestId("req_");
    if (this.#flavour !== "azure") return { "x-request-id": requestId, "openai-processing-ms": "41" };
    return { "apim-request-id": requestId, "x-request-id": requestId, "x-ms-region": "Sweden Central" };
  }
}

function notFound(problem: string): Error {
  return violation({ status: 404, code: "404", message: "Resource not found" }, problem);
}
