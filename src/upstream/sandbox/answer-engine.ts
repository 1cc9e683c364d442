import { hash } from "node:crypto";

import type { Answer, AnswerUsage } from "./answer.ts";
import { applyStopSequences, applyTokenLimit, outputTokensOf } from "./answer-limits.ts";
import { ApiError, invalid } from "./api-error.ts";
import { composeAnswer, type Composition } from "./compose-answer.ts";
import { readConversation, type Conversation } from "./conversation.ts";
import type { Directive } from "./directive.ts";
import type { MessageRequest } from "./message-request.ts";
import { modelFacts, type ModelFacts } from "./model-facts.ts";
import { promptBlocks, totalTokens, type FileSize } from "./prompt-blocks.ts";
import type { CacheUse, PromptCache } from "./prompt-cache.ts";
import { tailOf } from "./prompt-words.ts";
import { SeededRandom, stableId } from "./seeded-random.ts";
import type { SandboxModel } from "./sandbox-options.ts";

/** Tokens of an answer's text for every text delta that a directive asks for, when it does not give the length. */
const TOKENS_PER_EVENT = 3;

/** What stays the same from request to request. */
export interface EngineContext {
  readonly seed: string;
  readonly models: readonly SandboxModel[];
  readonly cache: PromptCache;
  readonly fileSize: FileSize;
}

/** What an answer depends on besides the request's body. */
export interface AnswerCircumstances {
  /** Monotonic milliseconds, for the prompt cache. */
  readonly nowMs: number;
  readonly betas: string;
  readonly directive: Directive | null;
  readonly serviceTier: "standard" | "batch";
}

/** An answer and what it does to the prompt cache once it begins. */
export interface DecidedAnswer {
  readonly answer: Answer;
  readonly cacheUse: CacheUse;
}

/**
 * The answer to a request: a function of request, seed, cache state and clock. Changes nothing; the caller commits
 * `cacheUse`. Throws an ApiError for what only the model or the files can tell: unknown model, too long a prompt.
 */
export function decideAnswer(request: MessageRequest, context: EngineContext, at: AnswerCircumstances): DecidedAnswer {
  requireModel(request.model, context.models);
  const facts = modelFacts(request.model, at.betas);
  const conversation = readConversation(request);
  requireFiles(conversation, context.fileSize);
  const blocks = promptBlocks(request, context.fileSize);
  const promptTokens = totalTokens(blocks);
  checkLimits(request, facts, promptTokens);
  const cacheUse = context.cache.look(blocks, {
    root: `${request.model}:${request.speed}`,
    messagesRoot: JSON.stringify([request.toolChoice, request.thinking.enabled, request.thinking.budgetTokens]),
    minTokens: facts.minCacheableTokens,
    nowMs: at.nowMs,
  });
  const key = answerKey(request, conversation, context.seed);
  const composition = composeAnswer({
    request,
    conversation,
    key,
    random: new SeededRandom(key),
    textTokens: textTokensOf(at.directive),
  });
  const answer = limitAnswer(composition, {
    request,
    key,
    maxTokens: Math.min(request.maxTokens, facts.contextTokens - promptTokens),
    directive: at.directive,
    usage: {
      inputTokens: cacheUse.uncachedTokens,
      cacheReadTokens: cacheUse.readTokens,
      cacheWrite5mTokens: cacheUse.write5mTokens,
      cacheWrite1hTokens: cacheUse.write1hTokens,
      serviceTier: at.serviceTier,
    },
  });
  return { answer, cacheUse };
}

/** Input tokens of a request, cached or not, as count_tokens answers. Throws an ApiError for an unknown model or file. */
export function countInputTokens(request: MessageRequest, context: EngineContext): number {
  requireModel(request.model, context.models);
  requireFiles(readConversation(request), context.fileSize);
  return totalTokens(promptBlocks(request, context.fileSize));
}

interface LimitInput {
  readonly request: MessageRequest;
  readonly key: string;
  readonly maxTokens: number;
  readonly directive: Directive | null;
  readonly usage: Pick<
    AnswerUsage,
    "inputTokens" | "cacheReadTokens" | "cacheWrite5mTokens" | "cacheWrite1hTokens" | "serviceTier"
  >;
}

function limitAnswer(composition: Composition, input: LimitInput): Answer {
  const { request, directive } = input;
  const stopped = applyStopSequences(composition.blocks, request.stopSequences);
  const limited = applyTokenLimit(stopped, input.maxTokens);
  const ranOut = limited.cut === "max_tokens" && input.maxTokens < request.maxTokens;
  const natural = composition.callsTools ? "tool_use" : "end_turn";
  const outputTokens = limited.blocks.reduce((sum, block) => sum + outputTokensOf(block), 0);
  const thinking = limited.blocks.find((block) => block.type === "thinking");
  const searched = limited.blocks.some((block) => block.type === "web_search_tool_result");
  return {
    id: stableId("msg_sandbox_", input.key),
    model: request.model,
    blocks: limited.blocks,
    stopReason: directive?.stopReason ?? (ranOut ? "model_context_window_exceeded" : (limited.cut ?? natural)),
    stopSequence: limited.stopSequence,
    hasContextManagement: request.hasContextManagement,
    usage: {
      ...input.usage,
      lateInputTokens: searched ? composition.lateInputTokens : 0,
      outputTokens: request.maxTokens === 0 ? 0 : Math.max(1, outputTokens),
      thinkingTokens: request.thinking.enabled ? (thinking === undefined ? 0 : outputTokensOf(thinking)) : null,
      webSearchRequests: searched ? composition.webSearchRequests : 0,
      inferenceGeo: request.inferenceGeo ?? "global",
      speed: request.speed,
    },
  };
}

function requireModel(model: string, models: readonly SandboxModel[]): void {
  // A dated id names the same model as the alias: claude-haiku-4-5-20251001.
  const alias = model.replace(/-\d{8}$/, "");
  if (!models.some(({ id }) => id === model || id === alias)) throw new ApiError(404, `model: ${model}`);
}

function requireFiles(conversation: Conversation, fileSize: FileSize): void {
  const missing = conversation.fileIds.find((id) => fileSize(id) === null);
  if (missing !== undefined) throw new ApiError(404, `File not found: ${missing}`);
}

function checkLimits(request: MessageRequest, facts: ModelFacts, promptTokens: number): void {
  if (request.maxTokens > facts.maxOutputTokens) {
    throw invalid(
      `max_tokens: ${request.maxTokens} > ${facts.maxOutputTokens}, which is the maximum allowed number of output tokens ` +
        `for ${request.model}`,
    );
  }
  if (promptTokens > facts.contextTokens) {
    throw invalid(`prompt is too long: ${promptTokens} tokens > ${facts.contextTokens} maximum`);
  }
  const endsWithAssistant = request.turns.findLast((turn) => turn.role !== "system")?.role === "assistant";
  if (endsWithAssistant && !facts.allowsPrefill) {
    throw invalid(
      "This model does not support assistant message prefill. The conversation must end with a user message.",
    );
  }
}

/** Names an answer by the seed and the parts of the request that it depends on: streamed or not, it is the same. */
function answerKey(request: MessageRequest, conversation: Conversation, seed: string): string {
  const { lastText, prompt, results } = conversation;
  const outcome = results.map((result) => [result.id, digest(result.text)]);
  return hash(
    "sha256",
    JSON.stringify([seed, request.model, request.turns.length, digest(lastText), digest(prompt), outcome]),
  );
}

/** Enough of a text to tell it from others without hashing hundreds of kilobytes. */
function digest(text: string): readonly unknown[] {
  return [text.length, text.slice(0, 1_000), tailOf(text)];
}

function textTokensOf(directive: Directive | null): number | null {
  if (directive === null) return null;
  return directive.tokens ?? (directive.events === null ? null : directive.events * TOKENS_PER_EVENT);
}
