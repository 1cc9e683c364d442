import { betasOf } from "../../openai/betas.ts";
import { endUserOf, serviceTier } from "../../openai/caller-hints.ts";
import type { ClientRequest, WireWarning } from "../../codec.ts";
import { parseBody } from "../../openai/json-body.ts";
import {
  invalidField,
  type JsonObject,
  type JsonRecord,
  optionalBoolean,
  optionalInteger,
  optionalObject,
  optionalString,
  requiredString,
} from "../../openai/json-reader.ts";
import { modelTraits } from "../../openai/model-traits.ts";
import { samplingOf } from "../../openai/sampling.ts";
import { echoOf, type ResponseSettings } from "../response-settings.ts";
import { markImplicitly } from "./cache-marks.ts";
import { Conversation } from "./conversation.ts";
import { readInput } from "./input-items.ts";
import { MCP_BETA } from "./mcp-tool.ts";
import { isOwnMember, warnOfHints } from "./request-hints.ts";
import {
  JSON_OBJECT_INSTRUCTION,
  refuseUnanswerable,
  searchSourcesAsked,
  textFormat,
  thinkingAsked,
} from "./request-options.ts";
import { readTools, type RequestTools } from "./request-tools.ts";

/** A Responses request, understood. */
export interface DecodedRequest {
  readonly canonical: Buffer;
  readonly betas: readonly string[];
  readonly warnings: readonly WireWarning[];
  readonly settings: ResponseSettings;
}

/** Makes a Messages request of a Responses request. Throws WeirError with the path of what is wrong. */
export function decodeRequest(request: ClientRequest): DecodedRequest {
  const body = parseBody(request.body, request.maxDepth);
  const warnings: WireWarning[] = [];
  refuseUnanswerable(body);
  warnOfHints(body, warnings);
  const canonical: JsonRecord = { model: requiredString(body, "model", "") };
  for (const key in body) if (isOwnMember(key, body[key])) canonical[key] = body[key];
  const tools = readTools(body, warnings);
  const summaries = addOptions(canonical, { body, tools, warnings });
  addTools(canonical, tools);
  addConversation(canonical, body, warnings);
  for (const field in body) {
    if (!isOwnMember(field, body[field]) || canonical[field] === body[field]) continue;
    warnings.push({ field, message: "was left out: Responses says it in a field of its own" });
  }
  if (request.operation === "count_tokens") for (const member of NOT_COUNTED) delete canonical[member];
  return {
    canonical: Buffer.from(JSON.stringify(canonical)),
    betas: betas(body, tools),
    warnings,
    settings: {
      echo: echoOf(body),
      customTools: tools.customTools,
      summaries,
      searchSources: searchSourcesAsked(body, warnings),
    },
  };
}

/** Members that say nothing about the input, and that Messages refuses where it only counts. */
const NOT_COUNTED = ["max_tokens", "metadata", "service_tier", "stream", "temperature", "top_p"];

/** Adds all but tools and conversation; says whether the text of thinking is to be shown. */
function addOptions(
  canonical: JsonRecord,
  { body, tools, warnings }: { body: JsonObject; tools: RequestTools; warnings: WireWarning[] },
): boolean {
  const model = String(canonical["model"]);
  const asked = optionalInteger(body, "max_output_tokens", { path: "", min: 1 });
  const maxTokens = asked ?? modelTraits(model).defaultMaxTokens;
  canonical["max_tokens"] = maxTokens;
  if (optionalBoolean(body, "stream", "") === true) canonical["stream"] = true;
  const { effort, thinking, summaries } = thinkingAsked(body, { model, maxTokens, forcedTool: tools.forced }, warnings);
  const ownThinking = optionalObject(body, "thinking", "");
  if (ownThinking !== undefined && thinking !== undefined) {
    warnings.push({ field: "reasoning", message: "was left out: the thinking object says it already" });
  }
  if (ownThinking !== undefined || thinking !== undefined) canonical["thinking"] = ownThinking ?? thinking;
  const { format } = textFormat(body, warnings);
  const outputConfig = {
    ...(effort === undefined ? {} : { effort }),
    ...(format === undefined ? {} : { format }),
    ...optionalObject(body, "output_config", ""),
  };
  if (Object.keys(outputConfig).length > 0) canonical["output_config"] = outputConfig;
  const thinks = isOn(ownThinking ?? thinking);
  Object.assign(canonical, samplingOf(body, { model, thinking: thinks }, warnings));
  const tier = serviceTier(body, warnings);
  if (tier !== undefined) canonical["service_tier"] = tier;
  const user = endUserOf(body);
  if (user !== undefined) canonical["metadata"] = { user_id: user };
  return summaries || (ownThinking !== undefined && isOn(ownThinking));
}

function isOn(thinking: JsonObject | undefined): boolean {
  return thinking?.["type"] === "adaptive" || thinking?.["type"] === "enabled";
}

function addTools(canonical: JsonRecord, { tools, mcpServers, toolChoice }: RequestTools): void {
  if (tools.length > 0) canonical["tools"] = tools;
  if (mcpServers.length > 0) canonical["mcp_servers"] = mcpServers;
  if (toolChoice !== undefined) canonical["tool_choice"] = toolChoice;
}

function addConversation(canonical: JsonRecord, body: JsonObject, warnings: WireWarning[]): void {
  const conversation = new Conversation();
  const instructions = optionalString(body, "instructions", "");
  if (instructions !== undefined && instructions !== "") {
    conversation.system.push({ type: "text", text: instructions });
  }
  readInput(body["input"], conversation, warnings);
  if (conversation.turns.length === 0) throw invalidField("input", "has no message of a user; send at least one");
  if (textFormat(body, []).jsonObject) conversation.system.push({ type: "text", text: JSON_OBJECT_INSTRUCTION });
  markImplicitly(body, conversation, warnings);
  if (conversation.system.length > 0) canonical["system"] = conversation.system;
  canonical["messages"] = conversation.turns;
}

/** Those that the body names, and what the tools need. */
function betas(body: JsonObject, tools: RequestTools): string[] {
  const own = betasOf(body);
  return [...new Set(tools.mcpServers.length > 0 ? [...own, MCP_BETA] : own)];
}
