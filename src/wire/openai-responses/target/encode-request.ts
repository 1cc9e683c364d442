import type { CanonicalRequest, WireWarning } from "../../codec.ts";
import { expected, isObject, type JsonObject, type JsonRecord } from "../../openai/json-reader.ts";
import { inputItems } from "./target-input.ts";
import { checkMembers, optionFields, reasoningFields, textFields } from "./target-options.ts";
import { toolFields } from "./target-tools.ts";

/** A Messages request as a Responses request. Throws WeirError naming what Responses cannot express. */
export function encodeRequest(request: CanonicalRequest, warnings: WireWarning[]): Buffer {
  const body: unknown = JSON.parse(request.body.toString("utf8"));
  if (!isObject(body)) throw expected("an object", body, "body");
  checkMembers(body, warnings);
  const conversation: JsonRecord = {
    model: request.upstreamModel,
    ...instructions(body),
    input: inputItems(body, warnings),
    ...toolFields(body, warnings),
    ...textFields(body, warnings),
  };
  const { include, reasoning } = reasoningFields(body, request.upstreamModel, warnings);
  if (reasoning !== undefined) conversation["reasoning"] = reasoning;
  if (request.operation === "count_tokens") {
    const { max_tool_calls: _limit, ...counted } = conversation;
    return Buffer.from(JSON.stringify(counted));
  }
  const includes = [...list(include), ...searchIncludes(conversation["tools"])];
  const stream = request.scan.stream ? { stream: true } : {};
  const included = includes.length > 0 ? { include: includes } : {};
  const options = optionFields(body, request.upstreamModel, warnings);
  return Buffer.from(JSON.stringify({ ...conversation, ...options, ...included, ...stream }));
}

/** Searches tell the addresses of what they found only when asked. */
function searchIncludes(tools: unknown): readonly string[] {
  const searches = list(tools).some((tool) => isObject(tool) && tool["type"] === "web_search");
  return searches ? ["web_search_call.action.sources"] : [];
}

function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}

function instructions(body: JsonObject): JsonRecord {
  const { system } = body;
  if (typeof system === "string") return system === "" ? {} : { instructions: system };
  const texts = list(system)
    .filter(isObject)
    .map(({ text }) => text);
  const joined = texts.filter((text) => typeof text === "string" && text !== "").join("\n\n");
  return joined === "" ? {} : { instructions: joined };
}
