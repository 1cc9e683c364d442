import type { Clock } from "../../core/clock.ts";
import { countInputTokens, decideAnswer, type DecidedAnswer, type EngineContext } from "./answer-engine.ts";
import { ApiError, errorEnvelope } from "./api-error.ts";
import {
  baseHeaders,
  rateLimitHeaders,
  sendBody,
  sendJson,
  versionOf,
  waitOrGone,
  whenGone,
  type Call,
} from "./call.ts";
import { readConversation } from "./conversation.ts";
import { readDirective, type Directive } from "./directive.ts";
import { DirectiveCounter } from "./directive-counter.ts";
import type { Fault } from "./fault.ts";
import { FaultRules, statusError } from "./fault-rules.ts";
import { messageJson } from "./message-json.ts";
import type { MessageRequest } from "./message-request.ts";
import { parseMessageRequest } from "./parse-message-request.ts";
import { parseJson } from "./read-body.ts";
import type { SandboxOptions } from "./sandbox-options.ts";
import type { SandboxCounters } from "./sandbox-counters.ts";
import { SeededRandom } from "./seeded-random.ts";
import { errorEvent, streamFrames } from "./stream-frames.ts";
import { destroyAfterFlush, StreamWriter, type Pace } from "./stream-writer.ts";

const DEFAULT_PING_INTERVAL_MS = 15_000;

/** How one request is answered: decided at its arrival, before anything is written. */
interface Plan {
  readonly request: MessageRequest;
  readonly directive: Directive | null;
  readonly fault: Fault | null;
  readonly firstByteMs: number;
  readonly pace: Pace;
}

/** POST /v1/messages and POST /v1/messages/count_tokens. */
export class MessagesEndpoint {
  readonly #engine: EngineContext;
  readonly #options: SandboxOptions;
  readonly #counters: SandboxCounters;
  readonly #clock: Clock;
  readonly #rules: FaultRules;
  readonly #directives = new DirectiveCounter();
  readonly #jitter: SeededRandom;

  constructor(engine: EngineContext, options: SandboxOptions, parts: { counters: SandboxCounters; clock: Clock }) {
    this.#engine = engine;
    this.#options = options;
    this.#counters = parts.counters;
    this.#clock = parts.clock;
    this.#rules = new FaultRules(options.faults ?? [], engine.seed);
    this.#jitter = new SeededRandom(`${engine.seed}:jitter`);
  }

  async create(call: Call): Promise<void> {
    const plan = this.#plan(
      parseMessageRequest(parseJson(call.body), { needsMaxTokens: true, apiVersion: versionOf(call) }),
    );
    if (plan.fault !== null) this.#counters.injectedFaults += 1;
    if (plan.fault?.kind === "status")
      throw statusError(plan.fault.status, plan.request.model, plan.fault.retryAfterSeconds);
    const decided = decideAnswer(plan.request, this.#engine, {
      nowMs: this.#clock.monotonicMs(),
      betas: String(call.request.headers["anthropic-beta"] ?? ""),
      directive: plan.directive,
      serviceTier: "standard",
    });
    if (plan.fault?.kind === "reset") {
      call.request.socket.destroy();
      return;
    }
    await (plan.request.stream ? this.#stream(call, plan, decided) : this.#sendWhole(call, plan, decided));
  }

  countTokens(call: Call): void {
    const request = parseMessageRequest(parseJson(call.body), { needsMaxTokens: false, apiVersion: versionOf(call) });
    sendJson(call, { input_tokens: countInputTokens(request, this.#engine) });
  }

  #plan(request: MessageRequest): Plan {
    const directive = readDirective(readConversation(request).lastText, request.model);
    const nowMs = this.#clock.monotonicMs();
    const ordered = directive === null ? null : this.#directives.fault(directive, request.model, nowMs);
    // The rules count every request, also one that a directive decides.
    const ruled = this.#rules.next(request.model);
    const fault = directive === null || directive.fault === null ? ruled : ordered;
    return {
      request,
      directive,
      fault,
      firstByteMs:
        (directive?.latencyMs ?? this.#latencyMs()) + (fault?.kind === "slow_first_byte" ? fault.delayMs : 0),
      pace: { tokensPerSecond: this.#options.tokensPerSecond ?? null, delayMs: directive?.delayMs ?? null },
    };
  }

  #latencyMs(): number {
    const jitterMs = this.#options.latencyJitterMs ?? 0;
    const swing = jitterMs === 0 ? 0 : (this.#jitter.next() * 2 - 1) * jitterMs;
    return Math.max(0, (this.#options.latencyMs ?? 0) + swing);
  }

  async #stream(call: Call, plan: Plan, { answer, cacheUse }: DecidedAnswer): Promise<void> {
    const { response, requestId } = call;
    if (!(await waitOrGone(response, plan.firstByteMs))) return;
    this.#engine.cache.commit(cacheUse, this.#clock.monotonicMs());
    response.writeHead(200, {
      ...baseHeaders(requestId),
      ...rateLimitHeaders(this.#clock),
      "content-type": "text/event-stream; charset=utf-8",
      "cache-control": "no-cache",
    });
    const writer = new StreamWriter(response, {
      frames: streamFrames(answer, {
        random: new SeededRandom(answer.id),
        textDeltas: plan.directive?.events ?? null,
      }),
      pace: plan.pace,
      fault: plan.fault,
      errorText: errorEvent(errorEnvelope(new ApiError(529, "Overloaded"), requestId)),
      pingIntervalMs: this.#options.pingIntervalMs ?? DEFAULT_PING_INTERVAL_MS,
      clock: this.#clock,
      onEvents: (count) => (this.#counters.eventsSent += count),
    });
    this.#counters.openStreams += 1;
    const end = await writer.run();
    this.#counters.openStreams -= 1;
    if (end === "complete") this.#counters.completedStreams += 1;
    if (end === "abandoned") this.#counters.abandonedStreams += 1;
  }

  async #sendWhole(call: Call, plan: Plan, { answer, cacheUse }: DecidedAnswer): Promise<void> {
    const { response } = call;
    const { fault, pace } = plan;
    if (fault?.kind === "silence" && fault.durationMs === undefined) return whenGone(response);
    if (fault?.kind === "cut" && fault.how === "error") throw statusError(529, plan.request.model);
    const heldMs = fault?.kind === "silence" ? (fault.durationMs ?? 0) : 0;
    const generationMs = pace.tokensPerSecond === null ? 0 : (answer.usage.outputTokens * 1000) / pace.tokensPerSecond;
    if (!(await waitOrGone(response, plan.firstByteMs + heldMs + generationMs))) return;
    this.#engine.cache.commit(cacheUse, this.#clock.monotonicMs());
    const body = JSON.stringify(messageJson(answer));
    const headers = { "content-type": "application/json", ...rateLimitHeaders(this.#clock) };
    if (fault?.kind !== "cut") {
      sendBody(call, body, headers);
      return;
    }
    const half = Buffer.from(body).subarray(0, Math.floor(body.length / 2));
    response.writeHead(200, { ...baseHeaders(call.requestId), ...headers });
    if (fault.how === "end") {
      response.end(half);
      return;
    }
    response.write(half);
    destroyAfterFlush(response);
  }
}
