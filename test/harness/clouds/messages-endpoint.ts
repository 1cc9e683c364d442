import type { JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import { headerOf, type CloudRequest } from "./cloud-request.ts";
import { declined, jsonAnswer, violation, type CloudError, type Verdict } from "./dialect.ts";
import { jsonBody } from "./json-body.ts";
import { malformedBetas } from "./messages-rules.ts";
import { SseFraming } from "./sse-framing.ts";

/** API versions that exist. */
const VERSIONS = ["2023-01-01", "2023-06-01", "2026-10-21"];

/** What differs between the services that speak Messages. */
export interface MessagesService {
  /** The engine's model for a name in a request; null when the service does not know it. */
  readonly model: (name: string) => string | null;
  /** How it says that it does not know a model. */
  readonly unknownModel: (name: string) => CloudError;
  /** Headers of its answers. */
  readonly headers: Readonly<Record<string, string>>;
  readonly requestId: string;
}

/** What a request to `/v1/messages` or `/v1/messages/count_tokens` asks, after everything that such a service checks. */
export function judgeMessages(request: CloudRequest, path: string, service: MessagesService): Verdict {
  const isCount = path === "/v1/messages/count_tokens";
  if (path !== "/v1/messages" && !isCount)
    throw violation({ status: 404, message: "Not found" }, "there is no such path");
  if (request.method !== "POST") throw violation({ status: 405, message: "Method Not Allowed" });
  checkQuery(request);
  const version = versionOf(request);
  const betas = betasOf(request);
  const body = jsonBody(request, {
    wrongType: () => ({ status: 400, message: "content-type: must be application/json" }),
    notJson: (reason) => ({ status: 400, message: `The request body is not valid JSON: ${reason}` }),
  });
  const named = body["model"];
  if (typeof named !== "string") throw violation({ status: 400, message: "model: Field required" });
  checkBody(body);
  const model = service.model(named);
  if (model === null) throw declined(service.unknownModel(named));
  const question = { body: { ...body, model }, betas, version };
  if (isCount) {
    const render = (inputTokens: number) => jsonAnswer({ input_tokens: inputTokens }, service.headers);
    return { kind: "count", question, render };
  }
  const framing = new SseFraming(service.headers, service.requestId);
  return { kind: "infer", question, isStream: body["stream"] === true, model: named, framing };
}

/** The betas of the header. Throws a Refusal for a list that no client would write. */
export function betasOf(request: CloudRequest): readonly string[] {
  const header = headerOf(request, "anthropic-beta");
  const betas = header === null ? [] : header.split(",").map((beta) => beta.trim());
  const malformed = malformedBetas(betas);
  if (malformed !== null) throw violation({ status: 400, message: `anthropic-beta: ${malformed}` });
  return betas;
}

function checkQuery({ query }: CloudRequest): void {
  const isPlain = query.size === 0 || (query.size === 1 && query.get("beta") === "true");
  if (!isPlain) throw violation({ status: 400, message: `the query ${query.toString()} means nothing here` });
}

function versionOf(request: CloudRequest): string {
  const version = headerOf(request, "anthropic-version");
  if (version === null) throw violation({ status: 400, message: "anthropic-version: header is required" });
  if (VERSIONS.includes(version)) return version;
  throw violation({ status: 400, message: `anthropic-version: "${version}" is not a valid version` });
}

/** A beta may add anything to a request, so members that nobody knows pass; another cloud's are left over from a translation. */
function checkBody(body: JsonObject): void {
  const foreign = ["anthropic_version", "anthropic_beta"].find((name) => body[name] !== undefined);
  if (foreign !== undefined) throw violation({ status: 400, message: `${foreign}: Extra inputs are not permitted` });
}
