import type { Component } from "../../../src/core/component.ts";
import { BUILTIN_MODELS } from "../../../src/message/models.ts";
import { isObject, type JsonObject } from "../../../src/upstream/sandbox/json-value.ts";
import type { SandboxStats } from "../../../src/upstream/sandbox/sandbox-options.ts";
import { SandboxUpstream } from "../../../src/upstream/sandbox/sandbox-upstream.ts";
import type { MessageEvent } from "../message-events.ts";
import type { Question } from "./dialect.ts";

/** What the brain says to a question. */
export type BrainAnswer =
  | { readonly kind: "refused"; readonly status: number; readonly message: string; readonly retryAfter: string | null }
  | { readonly kind: "whole"; readonly message: JsonObject }
  /** Throws BrainCut where a directive of the sandbox cuts the stream. */
  | { readonly kind: "stream"; readonly events: AsyncIterable<MessageEvent> };

/** The brain's stream broke off, as a directive in the prompt told it to. */
export class BrainCut extends Error {
  constructor() {
    super("the brain's stream ended before message_stop");
    this.name = "BrainCut";
  }
}

/**
 * The model behind every stand-in: the sandbox, asked in the Messages format over a connection of its own, so that one
 * engine decides what is answered and each stand-in only how it looks. Directives of the sandbox in a prompt work.
 */
export class Brain implements Component {
  readonly name = "brain";
  readonly #sandbox: SandboxUpstream;

  constructor(pingIntervalMs?: number) {
    this.#sandbox = new SandboxUpstream({
      models: BUILTIN_MODELS,
      ...(pingIntervalMs === undefined ? {} : { pingIntervalMs }),
    });
  }

  start(): Promise<void> {
    return this.#sandbox.start();
  }

  stop(): Promise<void> {
    return this.#sandbox.stop();
  }

  /** What the engine has done: open, complete and abandoned streams. */
  stats(): SandboxStats {
    return this.#sandbox.stats();
  }

  /** Asks; generation stops when `signal` aborts. */
  async ask(question: Question, signal: AbortSignal): Promise<BrainAnswer> {
    const isStream = question.body["stream"] === true;
    const response = await this.#post("/v1/messages", question, signal);
    if (response.status >= 400) return await refusedBy(response);
    if (isStream) return { kind: "stream", events: eventsOf(response) };
    const message = await wholeOf(response);
    return { kind: "whole", message };
  }

  /** Counts input tokens. */
  async count(question: Question, signal: AbortSignal): Promise<number | Extract<BrainAnswer, { kind: "refused" }>> {
    const response = await this.#post("/v1/messages/count_tokens", question, signal);
    if (response.status >= 400) return await refusedBy(response);
    const counted: unknown = await response.json();
    return isObject(counted) && typeof counted["input_tokens"] === "number" ? counted["input_tokens"] : 0;
  }

  async #post(path: string, { body, betas, version = "2023-06-01" }: Question, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = {
      "content-type": "application/json",
      "x-api-key": "brain",
      "anthropic-version": version,
    };
    if (betas.length > 0) headers["anthropic-beta"] = betas.join(",");
    try {
      return await fetch(this.#sandbox.url + path, { method: "POST", headers, body: JSON.stringify(body), signal });
    } catch (error) {
      // A directive told the sandbox to break the connection off before its answer.
      if (error instanceof TypeError) throw new BrainCut();
      throw error;
    }
  }
}

async function refusedBy(response: Response): Promise<Extract<BrainAnswer, { kind: "refused" }>> {
  const envelope: unknown = await response.json();
  const error = isObject(envelope) ? envelope["error"] : null;
  const message = isObject(error) ? String(error["message"]) : `the brain answered ${response.status}`;
  return { kind: "refused", status: response.status, message, retryAfter: response.headers.get("retry-after") };
}

/** A directive may cut an answer that is not streamed in the middle of its JSON. */
async function wholeOf(response: Response): Promise<JsonObject> {
  const message: unknown = await response.json().catch(() => null);
  if (!isObject(message)) throw new BrainCut();
  return message;
}

/** Reads server-sent events of the one form that the sandbox writes: an event line, a data line, a blank line. */
async function* eventsOf(response: Response): AsyncGenerator<MessageEvent, void, undefined> {
  if (response.body === null) throw new BrainCut();
  const decoder = new TextDecoder();
  let rest = "";
  let isOver = false;
  try {
    for await (const chunk of response.body) {
      rest += decoder.decode(chunk, { stream: true });
      const pieces = rest.split("\n\n");
      rest = pieces.pop() ?? "";
      for (const piece of pieces) {
        const event = parseEvent(piece);
        isOver = event.name === "message_stop" || event.name === "error";
        yield event;
      }
    }
  } catch (error) {
    // The sandbox destroys the connection where a directive says so.
    if (error instanceof TypeError) throw new BrainCut();
    throw error;
  }
  if (!isOver) throw new BrainCut();
}

function parseEvent(text: string): MessageEvent {
  const match = /^event: (.*)\ndata: (.*)$/s.exec(text);
  const data: unknown = JSON.parse(match?.[2] ?? "null");
  if (match?.[1] === undefined || !isObject(data)) throw new Error(`the brain wrote an unknown event: ${text}`);
  return { name: match[1], data };
}
