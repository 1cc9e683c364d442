import { createHash } from "node:crypto";

import type { CanonicalRequest, WireWarning } from "../codec.ts";
import { type JsonObject, type JsonRecord, isObject, unsupportedField } from "../openai/json-reader.ts";
import { effortOf } from "../openai/reasoning.ts";
import { functionOfTool, readToolChoice } from "../openai/tools.ts";
import { fitsStrictMode } from "./strict-schema.ts";
import { chatMessages } from "./target-messages.ts";
import { PartWriter, WarningList } from "./target-parts.ts";
import { nearestEffort, targetRules } from "./target-rules.ts";

export interface EncodedChat {
  readonly body: Buffer;
  readonly warnings: readonly WireWarning[];
}

/** Makes a Chat Completions request of a Messages request. Throws WeirError naming what Chat cannot express. */
export function encodeChatRequest({
  operation,
  body,
  scan,
  upstreamModel,
  isDeployment,
}: CanonicalRequest): EncodedChat {
  if (operation === "count_tokens") {
    throw unsupportedField("count_tokens", "upstreams that speak Chat Completions do not count tokens");
  }
  const request: unknown = JSON.parse(body.toString("utf8"));
  const parts = new PartWriter(targetRules(upstreamModel, isDeployment), new WarningList());
  const writer = new ChatRequestWriter(isObject(request) ? request : {}, upstreamModel, parts);
  return { body: Buffer.from(JSON.stringify(writer.write(scan.stream))), warnings: writer.warnings.list };
}

/** Members of Messages that are read below. */
const READ: ReadonlySet<string> = new Set([
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
  "top_k",
  "top_p",
]);

class ChatRequestWriter {
  readonly warnings: WarningList;
  readonly #request: JsonObject;
  readonly #model: string;
  readonly #parts: PartWriter;
  readonly #out: JsonRecord = {};

  constructor(request: JsonObject, model: string, parts: PartWriter) {
    this.#request = request;
    this.#model = model;
    this.#parts = parts;
    this.warnings = parts.warnings;
  }

  write(stream: boolean): JsonRecord {
    const out = this.#out;
    this.#refuse();
    out["model"] = this.#model;
    out["messages"] = chatMessages(this.#request, this.#parts);
    this.#limit();
    if (stream) {
      out["stream"] = true;
      // Without it nobody would know what the answer cost.
      out["stream_options"] = { include_usage: true };
    }
    this.#tools();
    this.#thinking();
    this.#format();
    this.#sampling();
    this.#settings();
    this.#rest();
    return out;
  }

  #refuse(): void {
    const { mcp_servers, container, inference_geo, thread } = this.#request;
    if (this.#parts.rules.claude) return;
    if (Array.isArray(mcp_servers) && mcp_servers.length > 0) {
      throw unsupportedField("mcp_servers", "only Anthropic's API connects to MCP servers itself");
    }
    if (container !== undefined && container !== null) {
      throw unsupportedField("container", "containers and skills run at Anthropic");
    }
    if (typeof inference_geo === "string" && inference_geo !== "global") {
      throw unsupportedField("inference_geo", "this upstream does not promise where inference runs");
    }
    if (thread !== undefined && thread !== null) throw unsupportedField("thread", "threads are kept at Anthropic");
  }

  #limit(): void {
    const limit = this.#request["max_tokens"];
    if (limit === 0)
      throw unsupportedField("max_tokens", "0 (filling the cache alone) is not known to Chat Completions");
    if (typeof limit === "number") this.#out[this.#parts.rules.limitField] = limit;
  }

  #tools(): void {
    const tools = Array.isArray(this.#request["tools"]) ? this.#request["tools"].filter(isObject) : [];
    if (tools.length === 0) return;
    this.#out["tools"] = tools.map((tool, i) => this.#tool(tool, `tools[${i}]`));
    const { choice, parallel } = readToolChoice(this.#request["tool_choice"]);
    if (choice !== undefined) {
      this.#out["tool_choice"] =
        choice.kind === "named" ? { type: "function", function: { name: choice.name } } : choice.kind;
    }
    if (parallel === false) this.#out["parallel_tool_calls"] = false;
  }

  #tool(tool: JsonObject, path: string): JsonRecord {
    const { type } = tool;
    if (this.#parts.rules.claude && typeof type === "string" && type !== "custom") return { ...tool };
    const { name: _n, description: _d, input_schema: _i, strict: _s, type: _t, cache_control: _c, ...extras } = tool;
    const fn = { type: "function", function: functionOfTool(tool, path), ...this.#parts.cacheControl(tool, path) };
    if (this.#parts.rules.claude) return { ...fn, ...extras };
    for (const extra of Object.keys(extras)) {
      this.warnings.once(`tool.${extra}`, `${path}.${extra}`, "is not known to Chat Completions and was left out");
    }
    return fn;
  }

  #thinking(): void {
    const { thinking, output_config: config } = this.#request;
    const { rules } = this.#parts;
    if (rules.claude) {
      if (thinking !== undefined) this.#out["thinking"] = thinking;
      if (isObject(config)) this.#claudeOutputConfig(config);
      return;
    }
    if (isObject(config) && config["task_budget"] !== undefined) {
      this.warnings.once(
        "task_budget",
        "output_config.task_budget",
        "is not known to Chat Completions and was left out",
      );
    }
    const asked = effortOf(thinking, config);
    if (asked === null) return;
    const effort = nearestEffort(rules, asked);
    if (effort !== null) this.#out["reasoning_effort"] = effort;
    if (effort === asked || (effort === null && asked === "none")) return;
    const field = isObject(thinking) ? "thinking" : "output_config.effort";
    const message =
      effort === null ? `is not taken by ${this.#model} and was left out` : `became reasoning_effort ${effort}`;
    this.warnings.once("effort", field, message);
  }

  #claudeOutputConfig(config: JsonObject): void {
    const { format: _format, ...rest } = config;
    if (Object.keys(rest).length > 0) this.#out["output_config"] = rest;
  }

  #format(): void {
    const { output_config: config, output_format: older } = this.#request;
    const format = isObject(config) && isObject(config["format"]) ? config["format"] : older;
    if (!isObject(format)) return;
    const { type, schema } = format;
    if (type !== "json_schema") throw unsupportedField("output_config.format.type", `${String(type)} is not known`);
    const strict = fitsStrictMode(schema);
    if (!strict && !this.#parts.rules.claude) {
      const message = "does not fit OpenAI's strict mode (every property required) and is not enforced to the letter";
      this.warnings.once("format", "output_config.format.schema", message);
    }
    this.#out["response_format"] = { type: "json_schema", json_schema: { name: "answer", schema, strict } };
  }

  #sampling(): void {
    const { rules } = this.#parts;
    for (const field of ["temperature", "top_p", "top_k"]) {
      const value = this.#request[field];
      if (value === undefined || value === null) continue;
      const isDefault = value === 1 && field !== "top_k";
      if (rules.claude || (rules.sampling && field !== "top_k")) this.#out[field] = value;
      else if (!isDefault) this.warnings.once(field, field, `is not taken by ${this.#model} and was left out`);
    }
  }

  #settings(): void {
    const { stop_sequences: stop, metadata, service_tier: tier, speed } = this.#request;
    if (Array.isArray(stop) && stop.length > 0) {
      if (stop.length > 4 && !this.#parts.rules.claude) {
        throw unsupportedField("stop_sequences", "Chat Completions takes at most 4");
      }
      this.#out["stop"] = stop;
    }
    const userId = isObject(metadata) ? metadata["user_id"] : undefined;
    if (typeof userId === "string") this.#out["user"] = shortUserId(userId);
    if (typeof tier === "string") this.#out["service_tier"] = tier === "standard_only" ? "default" : tier;
    if (typeof speed !== "string") return;
    if (this.#parts.rules.claude) this.#out["speed"] = speed;
    else if (speed === "fast")
      this.warnings.once("speed", "speed", "is not known to Chat Completions and was left out");
  }

  /** What a later Messages may have: Claude's proxies get it, others would refuse it. */
  #rest(): void {
    Object.assign(this.#out, this.#parts.cacheControl(this.#request, ""));
    const { claude } = this.#parts.rules;
    for (const key in this.#request) {
      const value = this.#request[key];
      const passes =
        claude && (key === "container" || key === "inference_geo" || key === "mcp_servers" || key === "thread");
      if ((READ.has(key) && !passes) || value === undefined || value === null) continue;
      if (claude) this.#out[key] = value;
      else this.warnings.once(key, key, "is not known to Chat Completions and was left out");
    }
  }
}

/** OpenAI takes 64 characters. Ids beyond that, such as Claude Code's, are hashed: still one id for each user. */
function shortUserId(id: string): string {
  return id.length <= 64 ? id : createHash("sha256").update(id).digest("hex");
}
