import { EventStreamCodec } from "@smithy/eventstream-codec";
import type { Format } from "./translation.ts";

/** What an answer says, in whatever format; two that say the same are alike. */
export interface Meaning {
  readonly text: string;
  /** All of the prompt, from a cache or not. */
  readonly inputTokens: number;
  readonly outputTokens: number;
  /** Whether a stream says that it has ended; an answer that is no stream has. */
  readonly ended: boolean;
}

/** A parsed answer of an API, of which only some members are looked at: each is checked when it is. */
type Parsed = Readonly<Record<string, unknown>>;

/** Reads an answer, whole or streamed. Independent of Weir's own codecs, which it is to judge. Throws when it is none. */
export function meaningOf(format: Format, stream: boolean, answer: Buffer): Meaning {
  if (format === "chat") return stream ? chatStreamMeaning(dataOf(answer)) : chatMeaning(json(answer.toString()));
  if (!stream) return messageMeaning(json(answer.toString()));
  return messagesStreamMeaning((format === "bedrock" ? chunksOf(answer) : dataOf(answer)).map(json));
}

/** In what two answers differ, in words, or null when they say the same. */
export function describeOtherMeaning(expected: Meaning, found: Meaning): string | null {
  if (!found.ended) return "the stream does not say that it has ended";
  for (const key of ["text", "inputTokens", "outputTokens"] as const) {
    if (expected[key] !== found[key]) {
      return `its ${key} should be ${JSON.stringify(expected[key])} and is ${JSON.stringify(found[key])}`;
    }
  }
  return null;
}

function messageMeaning(message: Parsed): Meaning {
  const text = list(message["content"]).map((block) => words(block["text"]));
  return { text: text.join(""), ...messagesTokens(object(message["usage"])), ended: true };
}

function messagesStreamMeaning(events: readonly Parsed[]): Meaning {
  const text = events.map((event) => words(object(event["delta"])["text"])).join("");
  const usage = events.reduce<Parsed>(
    (sum, event) => ({ ...sum, ...object(object(event["message"])["usage"]), ...object(event["usage"]) }),
    {},
  );
  return { text, ...messagesTokens(usage), ended: events.at(-1)?.["type"] === "message_stop" };
}

function messagesTokens(usage: Parsed): Pick<Meaning, "inputTokens" | "outputTokens"> {
  const kinds = ["input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens"];
  const inputTokens = kinds.reduce((sum, kind) => sum + Number(usage[kind]), 0);
  return { inputTokens, outputTokens: Number(usage["output_tokens"]) };
}

function chatMeaning(completion: Parsed): Meaning {
  const text = list(completion["choices"]).map((choice) => words(object(choice["message"])["content"]));
  return { text: text.join(""), ...chatTokens(object(completion["usage"])), ended: true };
}

function chatStreamMeaning(data: readonly string[]): Meaning {
  const chunks = data.filter((text) => text !== "[DONE]").map(json);
  const text = chunks.flatMap((chunk) => list(chunk["choices"]).map((one) => words(object(one["delta"])["content"])));
  const usage = chunks.map((chunk) => object(chunk["usage"])).findLast((one) => "prompt_tokens" in one) ?? {};
  return { text: text.join(""), ...chatTokens(usage), ended: data.at(-1) === "[DONE]" };
}

function chatTokens(usage: Parsed): Pick<Meaning, "inputTokens" | "outputTokens"> {
  return { inputTokens: Number(usage["prompt_tokens"]), outputTokens: Number(usage["completion_tokens"]) };
}

/** The data of a server-sent event stream whose events have one line of it. */
function dataOf(answer: Buffer): string[] {
  return answer
    .toString()
    .split("\n")
    .filter((line) => line.startsWith("data: "))
    .map((line) => line.slice("data: ".length));
}

/** The events in the frames of InvokeModelWithResponseStream, their checksums verified. */
function chunksOf(answer: Buffer): string[] {
  const codec = new EventStreamCodec(
    (bytes) => Buffer.from(bytes).toString(),
    (text) => Buffer.from(text),
  );
  const events: string[] = [];
  for (let at = 0; at < answer.length;) {
    const length = answer.readUInt32BE(at);
    const { body } = codec.decode(answer.subarray(at, at + length));
    events.push(Buffer.from(words(json(Buffer.from(body).toString())["bytes"]), "base64").toString());
    at += length;
  }
  return events;
}

function json(text: string): Parsed {
  return object(JSON.parse(text));
}

function object(value: unknown): Parsed {
  return typeof value === "object" && value !== null ? (value as Parsed) : {}; // any object may be looked into
}

function list(value: unknown): Parsed[] {
  return Array.isArray(value) ? value.map(object) : [];
}

function words(value: unknown): string {
  return typeof value === "string" ? value : "";
}
