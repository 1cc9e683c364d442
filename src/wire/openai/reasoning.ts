import type { WireWarning } from "../codec.ts";
import { type JsonObject, type JsonRecord, isObject } from "./json-reader.ts";
import { modelTraits } from "./model-traits.ts";

/** OpenAI's words for how much a model should think. */
export const EFFORTS = ["none", "minimal", "low", "medium", "high", "xhigh", "max"] as const;
export type Effort = (typeof EFFORTS)[number];

/**
 * Thinking budgets in tokens for models that take no effort. 1,024 is the least that Messages takes; 4,000, 10,000 and
 * 31,999 are the steps that Claude Code has used for the same words, and above 32,000 the documentation sees little gain.
 */
const BUDGETS: Readonly<Record<Exclude<Effort, "none">, number>> = {
  minimal: 1024,
  low: 4000,
  medium: 10_000,
  high: 31_999,
  xhigh: 31_999,
  max: 31_999,
};
const LEAST_BUDGET = 1024;
/** `max_tokens` counts thinking too: a fifth of it is kept for the answer itself. */
const BUDGET_SHARE = 0.8;

export interface ThinkingRequest {
  readonly effort: Effort;
  /** Where the effort was written, for warnings: `reasoning_effort` or `reasoning.effort`. */
  readonly field: string;
  readonly model: string;
  readonly maxTokens: number;
  /** Whether `tool_choice` forces a tool. */
  readonly forcedTool: boolean;
}

/** What goes into the Messages request. */
export interface ThinkingFields {
  readonly thinking?: JsonRecord;
  /** For `output_config.effort`. */
  readonly effort?: string;
}

/** An OpenAI effort as Messages fields for the model; what cannot be had is told in `warnings`. */
export function thinkingOf(request: ThinkingRequest, warnings: WireWarning[]): ThinkingFields {
  if (request.effort === "none") return noThinking(request, warnings);
  const traits = modelTraits(request.model);
  if (traits.thinking === "budget") return budgetThinking(request, request.effort, warnings);
  const effort = messagesEffort(request, request.effort, warnings);
  // A forced tool and a `thinking` object exclude each other; effort alone goes with both.
  return request.forcedTool ? { effort } : { thinking: { type: "adaptive" }, effort };
}

function noThinking({ model, field }: ThinkingRequest, warnings: WireWarning[]): ThinkingFields {
  const { thinkingOff, thinking } = modelTraits(model);
  if (thinking === "budget") return {};
  if (thinkingOff !== "never") return { thinking: { type: thinkingOff } };
  warnings.push({ field, message: `cannot be none for ${model}, which always thinks; the least effort was asked for` });
  return { effort: "low" };
}

function messagesEffort(
  { model, field }: ThinkingRequest,
  effort: Exclude<Effort, "none">,
  warnings: WireWarning[],
): string {
  if (effort === "minimal") {
    warnings.push({ field, message: "has no level minimal in Messages; low was asked for" });
    return "low";
  }
  if (effort === "xhigh" && !modelTraits(model).xhigh) {
    warnings.push({ field, message: `has no level xhigh for ${model}; high was asked for` });
    return "high";
  }
  return effort;
}

function budgetThinking(
  request: ThinkingRequest,
  effort: Exclude<Effort, "none">,
  warnings: WireWarning[],
): ThinkingFields {
  if (request.forcedTool) {
    warnings.push({ field: request.field, message: "was left out: this model cannot think when a tool is forced" });
    return {};
  }
  const budget = Math.min(BUDGETS[effort], Math.floor(request.maxTokens * BUDGET_SHARE));
  if (budget < LEAST_BUDGET) {
    const message = `was left out: a limit of ${request.maxTokens} tokens leaves less than ${LEAST_BUDGET} for thinking`;
    warnings.push({ field: request.field, message });
    return {};
  }
  return { thinking: { type: "enabled", budget_tokens: budget } };
}

/** The effort that a Messages request asks for, in OpenAI's words; null when it asks for none in particular. */
export function effortOf(thinking: unknown, outputConfig: unknown): Effort | null {
  if (isObject(thinking) && thinking["type"] === "disabled") return "none";
  const effort = isObject(outputConfig) ? EFFORTS.find((word) => word === outputConfig["effort"]) : undefined;
  if (effort !== undefined) return effort;
  if (!isObject(thinking)) return null;
  if (thinking["type"] === "enabled") return effortOfBudget(thinking);
  return null;
}

/** The step of the table whose budget is nearest on a logarithmic scale: the bounds are the geometric means. */
function effortOfBudget(thinking: JsonObject): Effort {
  const budget = thinking["budget_tokens"];
  if (typeof budget !== "number") return "medium";
  if (budget < 6300) return "low";
  return budget < 17_900 ? "medium" : "high";
}
