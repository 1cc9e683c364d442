import { createHash } from "node:crypto";

import type { WireWarning } from "../../codec.ts";
import {
  isObject,
  type JsonObject,
  type JsonRecord,
  optionalArray,
  optionalObject,
  optionalString,
  unsupportedField,
} from "../../openai/json-reader.ts";
import { effortOf } from "../../openai/reasoning.ts";
import { targetRules } from "../../openai-chat/target-rules.ts";
import { fitsStrictMode } from "../../openai-chat/strict-schema.ts";
import { effortFor, reasons } from "./reasoning-models.ts";
import { hasCacheMarks } from "./target-input.ts";

/** Members that are read here or in the neighbouring modules. */
const KNOWN: ReadonlySet<string> = new Set([
  "cache_control",
  "container",
  "inference_geo",
  "max_tokens",
  "mcp_servers",
  "messages",
  "metadata",
  "model",
  "output_config",
  "output_format",
  "service_tier",
  "speed",
  "stop_sequences",
  "stream",
  "system",
  "temperature",
  "thinking",
  "thread",
  "tool_choice",
  "tools",
  "top_p",
]);

/** Throws for what would make it another answer, and warns of what is only a hint. */
export function checkMembers(body: JsonObject, warnings: WireWarning[]): void {
  if ((optionalArray(body, "stop_sequences", "") ?? []).length > 0) {
    throw unsupportedField("stop_sequences", "Responses cannot be told where to stop; leave them out");
  }
  const geo = optionalString(body, "inference_geo", "");
  if (geo !== undefined && geo !== "global") {
    throw unsupportedField("inference_geo", `this upstream cannot promise ${geo}; choose one that runs there`);
  }
  if (body["container"] !== undefined && body["container"] !== null) {
    throw unsupportedField("container", "containers of the Messages API are not known to Responses");
  }
  if (isObject(body["thread"])) throw unsupportedField("thread", "threads are kept at Anthropic");
  refusePrefill(body);
  const budget = optionalObject(body, "output_config", "")?.["task_budget"];
  if (budget !== undefined && budget !== null) {
    const message = "is not known to Responses and was left out";
    warnings.push({ field: "output_config.task_budget", message });
  }
  for (const field in body) {
    if (KNOWN.has(field) || body[field] === null) continue;
    warnings.push({ field, message: "is not known to Responses and was left out" });
  }
  if (hasCacheMarks(body)) {
    warnings.push({ field: "cache_control", message: "was left out: this upstream decides itself what it caches" });
  }
}

/** Claude goes on where the last assistant turn ends; other models would answer it. */
function refusePrefill(body: JsonObject): void {
  const messages = optionalArray(body, "messages", "") ?? [];
  const last = messages.at(-1);
  if (!isObject(last) || last["role"] !== "assistant") return;
  const path = `messages[${messages.length - 1}]`;
  throw unsupportedField(path, "this model cannot continue an answer that was begun for it");
}

/** The options of a Responses request but for conversation and tools. */
export function optionFields(body: JsonObject, model: string, warnings: WireWarning[]): JsonRecord {
  const fields: JsonRecord = { store: false };
  fields["max_output_tokens"] = maxOutputTokens(body, warnings);
  addSampling(fields, body, { model, warnings });
  const user = userId(body);
  if (user !== undefined) fields["safety_identifier"] = user;
  const tier = serviceTier(body);
  if (tier !== undefined) fields["service_tier"] = tier;
  return fields;
}

/** OpenAI's reasoning models refuse both unless they have their default. */
function addSampling(
  fields: JsonRecord,
  body: JsonObject,
  { model, warnings }: { model: string; warnings: WireWarning[] },
): void {
  const taken = targetRules(model).sampling;
  for (const field of ["temperature", "top_p"]) {
    const value = body[field];
    if (typeof value !== "number" || value === 1) continue;
    if (taken) fields[field] = value;
    else warnings.push({ field, message: `is not taken by ${model} and was left out` });
  }
}

const LEAST_OUTPUT_TOKENS = 16;

function maxOutputTokens(body: JsonObject, warnings: WireWarning[]): number {
  const asked = Number(body["max_tokens"]);
  if (asked === 0) throw unsupportedField("max_tokens", "Responses cannot fill its cache without an answer");
  if (asked >= LEAST_OUTPUT_TOKENS) return asked;
  const message = `is at least ${LEAST_OUTPUT_TOKENS} in Responses, which was sent for ${asked}`;
  warnings.push({ field: "max_tokens", message });
  return LEAST_OUTPUT_TOKENS;
}

const LONGEST_USER_ID = 64;

function userId(body: JsonObject): string | undefined {
  const metadata = optionalObject(body, "metadata", "");
  const id = metadata === undefined ? undefined : optionalString(metadata, "user_id", "metadata");
  if (id === undefined || id.length <= LONGEST_USER_ID) return id;
  return createHash("sha256").update(id).digest("hex");
}

function serviceTier(body: JsonObject): string | undefined {
  if (body["speed"] === "fast") return "priority";
  const tier = optionalString(body, "service_tier", "");
  return tier === "standard_only" ? "default" : tier;
}

/**
 * `reasoning` and `include` for a request that asks for thinking. Models that do not reason refuse both, so that neither is
 * said where nothing is asked for.
 */
export function reasoningFields(body: JsonObject, model: string, warnings: WireWarning[]): JsonRecord {
  const thinking = optionalObject(body, "thinking", "");
  const asked = effortOf(thinking, body["output_config"]);
  const thinks = thinking?.["type"] === "adaptive" || thinking?.["type"] === "enabled";
  if (asked === null && !thinks) return {};
  const field = asked === null || thinking !== undefined ? "thinking" : "output_config.effort";
  if (!reasons(model)) {
    if (asked !== "none") warnings.push({ field, message: `is not taken by ${model} and was left out` });
    return {};
  }
  const effort = asked === null ? null : effortFor(model, asked);
  if (effort !== asked) {
    const message = effort === null ? `is not taken by ${model} and was left out` : `became reasoning.effort ${effort}`;
    warnings.push({ field, message });
  }
  const summary = thinks && thinking["display"] !== "omitted" ? { summary: "auto" } : {};
  const reasoning = { ...(effort === null ? {} : { effort }), ...summary };
  if (Object.keys(reasoning).length === 0) return {};
  return { reasoning, include: ["reasoning.encrypted_content"] };
}

/** `text` for a request that asks for an answer of a certain form. */
export function textFields(body: JsonObject, warnings: WireWarning[]): JsonRecord {
  // The older name, of a beta, goes as far.
  const format = optionalObject(body, "output_config", "")?.["format"] ?? body["output_format"];
  if (!isObject(format)) return {};
  if (format["type"] !== "json_schema") {
    throw unsupportedField("output_config.format.type", `${String(format["type"])} is not known to Responses`);
  }
  const { schema } = format;
  const strict = fitsStrictMode(schema);
  if (!strict) {
    const message = "is shown to the model, but enforced only if objects require all properties and allow no others";
    warnings.push({ field: "output_config.format.schema", message });
  }
  return { text: { format: { type: "json_schema", name: "answer", schema, strict } } };
}
