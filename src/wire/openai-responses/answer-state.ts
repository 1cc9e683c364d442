import type { AnswerContext } from "../codec.ts";
import { isObject, type JsonObject, type JsonRecord } from "../openai/json-reader.ts";
import { noTokens, readMessagesUsage, responsesUsage } from "../openai/usage.ts";
import { OutputBuilder } from "./output/output-builder.ts";
import type { EventSink } from "./response-events.ts";
import { incompleteReason, responseObject, type ResponseStatus } from "./response-object.ts";
import type { ResponseSettings } from "./response-settings.ts";

/** One answer while it is being turned into a Response: what its message says, and its output. */
export class AnswerState {
  readonly output: OutputBuilder;
  readonly #settings: ResponseSettings;
  readonly #context: AnswerContext;
  readonly #messageId: string;
  readonly #tokens = noTokens();
  #serviceTier: string | null = null;
  #stopReason: unknown = null;
  #stopDetails: unknown = null;

  /** `message` is that of `message_start`, or a whole answer. */
  constructor(
    message: JsonObject,
    { sink, settings, context }: { sink: EventSink; settings: ResponseSettings; context: AnswerContext },
  ) {
    const { id } = message;
    this.#messageId = typeof id === "string" ? id : context.requestId;
    this.#settings = settings;
    this.#context = context;
    this.output = new OutputBuilder(sink, this.#messageId, settings);
    this.update(message, message["usage"]);
  }

  /** Takes what a message, or the delta of one, says of its end and its usage. */
  update(fields: JsonObject, usage: unknown): void {
    this.#stopReason = fields["stop_reason"] ?? this.#stopReason;
    this.#stopDetails = fields["stop_details"] ?? this.#stopDetails;
    readMessagesUsage(usage, this.#tokens);
    const tier = isObject(usage) ? usage["service_tier"] : null;
    if (typeof tier === "string") this.#serviceTier = tier;
  }

  /** Closes the output. */
  end(): void {
    const status = this.endStatus;
    this.output.end({ status, refusal: this.#stopReason === "refusal" ? explanation(this.#stopDetails) : null });
  }

  get endStatus(): "completed" | "incomplete" {
    return incompleteReason(this.#stopReason) === null ? "completed" : "incomplete";
  }

  /** The Response as it stands. */
  response(status: ResponseStatus, error: JsonObject | null = null): JsonRecord {
    const done = status !== "in_progress";
    const state = {
      messageId: this.#messageId,
      status,
      output: this.output.items,
      usage: done ? responsesUsage(this.#tokens) : null,
      incompleteReason: status === "incomplete" ? incompleteReason(this.#stopReason) : null,
      error,
      serviceTier: this.#serviceTier,
    };
    return responseObject(state, this.#settings, this.#context);
  }
}

function explanation(details: unknown): string | null {
  const text = isObject(details) ? details["explanation"] : null;
  return typeof text === "string" && text !== "" ? text : null;
}
