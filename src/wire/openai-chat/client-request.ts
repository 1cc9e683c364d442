import { betasOf } from "../openai/betas.ts";
import { serviceTier } from "../openai/caller-hints.ts";
import type { ClientRequest, WireWarning } from "../codec.ts";
import { HollowBody, type FilledJson } from "../openai/hollow-body.ts";
import {
  type JsonObject,
  type JsonRecord,
  optionalBoolean,
  optionalObject,
  optionalWord,
  requiredObject,
  requiredString,
} from "../openai/json-reader.ts";
import { modelTraits } from "../openai/model-traits.ts";
import { EFFORTS, thinkingOf } from "../openai/reasoning.ts";
import { samplingOf } from "../openai/sampling.ts";
import { type Conversation, conversationOf } from "./client-messages.ts";
import {
  OPENAI_MEMBERS,
  maxTokensAsked,
  refuseUnanswerable,
  stopSequences,
  userId,
  warnOfHints,
} from "./client-options.ts";
import type { Gathered } from "./client-parts.ts";
import { type ClientTools, clientTools } from "./client-tools.ts";

/** A Chat Completions request, understood. */
export interface DecodedChat {
  readonly canonical: FilledJson;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  /** Whether a stream is to end with a chunk that has the usage. */
  readonly includeUsage: boolean;
}

/** Makes a Messages request of a Chat Completions request. Throws WeirError with the path of what is wrong. */
export function decodeChatRequest(request: ClientRequest): DecodedChat {
  const hollow = new HollowBody(request.body, request.maxDepth);
  const body = hollow.value;
  const warnings: WireWarning[] = [];
  const gathered: Gathered = { warnings, betas: new Set(betasOf(body)) };
  refuseUnanswerable(body);
  // Azure has the deployment in the path.
  const model = request.pathModel ?? requiredString(body, "model", "");
  const stream = optionalBoolean(body, "stream", "") ?? false;
  const conversation = conversationOf(body, gathered);
  const tools = clientTools(body, warnings);
  warnOfHints(body, warnings);
  const canonical: JsonRecord = { model, ...ownMembers(body) };
  canonical["max_tokens"] = maxTokensAsked(body) ?? modelTraits(model).defaultMaxTokens;
  if (stream) canonical["stream"] = true;
  addOptions(canonical, { body, model, tools, warnings });
  addConversation(canonical, { body, conversation, tools });
  for (const field in ownMembers(body)) {
    if (canonical[field] === body[field]) continue;
    warnings.push({ field, message: "was left out: Chat Completions says it in a field of its own" });
  }
  return {
    canonical: hollow.fill(JSON.stringify(canonical)),
    betas: [...gathered.betas],
    warnings,
    includeUsage: optionalObject(body, "stream_options", "")?.["include_usage"] === true,
  };
}

/** Members that are Messages' own and go over as they are. */
function ownMembers(body: JsonObject): JsonRecord {
  const own: JsonRecord = {};
  for (const key in body) if (!OPENAI_MEMBERS.has(key)) own[key] = body[key];
  return own;
}

interface OptionSources {
  readonly body: JsonObject;
  readonly model: string;
  readonly tools: ClientTools;
  readonly warnings: WireWarning[];
}

function addOptions(canonical: JsonRecord, { body, model, tools, warnings }: OptionSources): void {
  const outputConfig: JsonRecord = { ...optionalObject(body, "output_config", "") };
  addThinking(canonical, outputConfig, { body, model, tools, warnings });
  const format = outputFormat(body, warnings);
  if (format !== undefined) outputConfig["format"] = format;
  if (Object.keys(outputConfig).length > 0) canonical["output_config"] = outputConfig;
  const thinking = canonical["thinking"] !== undefined && !isOff(canonical["thinking"]);
  Object.assign(canonical, samplingOf(body, { model, thinking }, warnings));
  const stop = stopSequences(body);
  if (stop !== undefined) canonical["stop_sequences"] = stop;
  const tier = serviceTier(body, warnings);
  if (tier !== undefined) canonical["service_tier"] = tier;
  const user = userId(body, warnings);
  if (user !== undefined) canonical["metadata"] = { user_id: user };
}

/** A `thinking` object, as other gateways take it, goes before `reasoning_effort`. */
function addThinking(canonical: JsonRecord, outputConfig: JsonRecord, sources: OptionSources): void {
  const { body, model, tools, warnings } = sources;
  const effort = optionalWord(body, "reasoning_effort", { path: "", words: EFFORTS });
  const own = optionalObject(body, "thinking", "");
  if (own !== undefined) {
    canonical["thinking"] = own;
    if (effort !== undefined) {
      warnings.push({ field: "reasoning_effort", message: "was left out: the thinking object says it already" });
    }
    return;
  }
  if (effort === undefined) return;
  const maxTokens = Number(canonical["max_tokens"]);
  const field = "reasoning_effort";
  const fields = thinkingOf({ effort, field, model, maxTokens, forcedTool: tools.forced }, warnings);
  if (fields.thinking !== undefined) canonical["thinking"] = fields.thinking;
  if (fields.effort !== undefined && outputConfig["effort"] === undefined) outputConfig["effort"] = fields.effort;
}

function isOff(thinking: unknown): boolean {
  return typeof thinking === "object" && thinking !== null && "type" in thinking && thinking.type === "disabled";
}

/** `response_format` as `output_config.format`; `json_object` has no counterpart but an instruction (see below). */
function outputFormat(body: JsonObject, warnings: WireWarning[]): JsonRecord | undefined {
  const format = optionalObject(body, "response_format", "");
  if (format === undefined) return undefined;
  const words = ["text", "json_object", "json_schema"] as const;
  const type = optionalWord(format, "type", { path: "response_format", words });
  if (type === "json_object") {
    const message = "json_object became an instruction in the system prompt; json_schema is enforced";
    warnings.push({ field: "response_format", message });
  }
  if (type !== "json_schema") return undefined;
  const path = "response_format.json_schema";
  const jsonSchema = requiredObject(format, "json_schema", "response_format");
  if (jsonSchema["description"] !== undefined) {
    const message = "is not known to Messages and was left out; describe the schema inside itself";
    warnings.push({ field: `${path}.description`, message });
  }
  return { type: "json_schema", schema: requiredObject(jsonSchema, "schema", path) };
}

const JSON_OBJECT_INSTRUCTION = "Answer with one JSON object and nothing else: no prose, no code fence.";

function addConversation(
  canonical: JsonRecord,
  { body, conversation, tools }: { body: JsonObject; conversation: Conversation; tools: ClientTools },
): void {
  const system: JsonRecord[] = [...conversation.system];
  if (optionalObject(body, "response_format", "")?.["type"] === "json_object") {
    system.push({ type: "text", text: JSON_OBJECT_INSTRUCTION });
  }
  if (system.length > 0) canonical["system"] = system;
  if (tools.tools.length > 0) canonical["tools"] = tools.tools;
  if (tools.toolChoice !== undefined) canonical["tool_choice"] = tools.toolChoice;
  canonical["messages"] = conversation.messages;
}
