import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

import Anthropic from "@anthropic-ai/sdk";
import { afterEach, describe, expect, it } from "vitest";

import type { JsonObject } from "../../openai/json-reader.ts";
import { openaiResponsesClient } from "../client-wire.ts";
import { allAnswers, messagesStream } from "../testing/messages-fixtures.ts";
import { decodeAnswer } from "./decode-answer.ts";
import { ResponsesStreamDecoder } from "./stream-decoder.ts";

const CONTEXT = { requestId: "req_01", modelAsked: "gpt-5.4", createdAtMs: 1_795_000_000_000 };
const call = openaiResponsesClient.decode({
  operation: "messages",
  body: Buffer.from('{"model":"gpt-5.4","input":"Hi","reasoning":{"summary":"auto"}}'),
  pathModel: null,
  pathStream: null,
  maxDepth: 64,
});

/** A server that answers a Messages client with what an upstream's Response, whole or streamed, was turned into. */
class TranslatingServer {
  answer: JsonObject = {};
  readonly #server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("end", () => {
      const streams = Buffer.concat(chunks).includes('"stream":true');
      response.setHeader("content-type", streams ? "text/event-stream" : "application/json");
      response.end(streams ? this.#stream() : this.#whole());
    });
  });

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`; // it listens on TCP
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #stream(): Buffer {
    return new ResponsesStreamDecoder().push(call.streamEncoder(CONTEXT).push(messagesStream(this.answer)));
  }

  #whole(): Buffer {
    return decodeAnswer(call.encodeAnswer(Buffer.from(JSON.stringify(this.answer)), CONTEXT), "messages");
  }
}

const server = new TranslatingServer();
afterEach(() => server.stop());

describe("the real Anthropic SDK in front of an upstream that speaks Responses", () => {
  it("puts the same message together from a stream as from a whole answer, for every kind of answer", async () => {
    const client = new Anthropic({ apiKey: "weir_test", baseURL: await server.start(), maxRetries: 0 });
    const params = { model: "gpt-5.4", max_tokens: 100, messages: [{ role: "user" as const, content: "Hi" }] };
    for (const answer of allAnswers) {
      server.answer = answer;
      const whole = await client.beta.messages.create(params);
      const streamed = await client.beta.messages.stream(params).finalMessage();
      expect(streamed.stop_reason).toBe(answer["stop_reason"]);
      // Member for member, whatever the SDK itself adds to either.
      expect(JSON.parse(JSON.stringify(streamed.content))).toEqual(JSON.parse(JSON.stringify(whole.content)));
      // The SDK takes only counts from the last event, not the tier, which Responses tells there.
      const { service_tier: _tier, ...counts } = JSON.parse(JSON.stringify(whole.usage));
      expect(streamed.usage).toMatchObject(counts);
    }
  });
});
