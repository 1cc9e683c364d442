import OpenAI, { APIError } from "openai";
import type { ResponseInput } from "openai/resources/responses/responses";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

import type { JsonRecord } from "../openai/json-reader.ts";
import {
  allAnswers,
  messagesStream,
  refusedAnswer,
  searchAnswer,
  textAnswer,
  toolUseAnswer,
} from "./testing/messages-fixtures.ts";
import { WeirLikeServer } from "./testing/weir-like-server.ts";

const MODEL = "claude-sonnet-5-5";
const weather = {
  type: "function" as const,
  name: "get_weather",
  description: "The weather of a city",
  strict: true,
  parameters: {
    type: "object",
    properties: { city: { type: "string" } },
    required: ["city"],
    additionalProperties: false,
  },
};

let server: WeirLikeServer;
let client: OpenAI;

beforeEach(async () => {
  server = new WeirLikeServer();
  client = new OpenAI({ apiKey: "weir_test", baseURL: await server.start(), maxRetries: 0 });
});
afterEach(() => server.stop());

describe("the real OpenAI SDK", () => {
  it("gets a whole answer with its text", async () => {
    server.answers.push(textAnswer);
    const response = await client.responses.create({ model: MODEL, input: "Hi", instructions: "Be kind." });
    expect(response.output_text).toBe("Hello, wörld.");
    expect(response.status).toBe("completed");
    expect(response.usage?.input_tokens_details.cached_tokens).toBe(18_176);
    expect(server.requests[0]).toMatchObject({
      system: [{ type: "text", text: "Be kind." }],
      messages: [{ role: "user", content: [{ type: "text", text: "Hi" }] }],
    });
  });

  it("puts the same response together from a stream as from a whole answer, for every kind of answer", async () => {
    for (const answer of allAnswers) {
      server.answers.push(answer, answer);
      const params = { model: MODEL, input: "Hi", reasoning: { summary: "auto" as const } };
      const whole = await client.responses.create(params);
      const streamed = await client.responses.stream(params).finalResponse();
      expect(streamed.output_text).toBe(whole.output_text);
      expect(streamed.usage).toEqual(whole.usage);
      expect(streamed.output.map(({ type }) => type)).toEqual(whole.output.map(({ type }) => type));
    }
  });

  it("accumulates from its events alone what the last event says", async () => {
    for (const answer of allAnswers) {
      server.answers.push(answer);
      const stream = await client.responses.create({ model: MODEL, input: "Hi", stream: true });
      let text = "";
      let last = "";
      for await (const event of stream) {
        if (event.type === "response.output_text.delta") text += event.delta;
        if (event.type === "response.completed" || event.type === "response.incomplete") {
          last = event.response.output
            .flatMap((item) => (item.type === "message" ? item.content : []))
            .map((part) => (part.type === "output_text" ? part.text : ""))
            .join("");
        }
      }
      expect(text).toBe(last);
    }
  });

  it("uses tools with thinking over several turns: what it sends back is what Claude said", async () => {
    server.answers.push(toolUseAnswer, textAnswer);
    const question = { role: "user" as const, content: "How is the weather in Köln and São Paulo?" };
    const params = {
      model: MODEL,
      tools: [weather],
      reasoning: { effort: "high" as const, summary: "auto" as const },
      include: ["reasoning.encrypted_content" as const],
      store: false,
    };
    const first = await client.responses.stream({ ...params, input: [question] }).finalResponse();
    // As the SDK's own examples do: the output goes back as it came, followed by the results.
    const calls = first.output.filter((item) => item.type === "function_call");
    const results = calls.map(({ call_id }) => ({ type: "function_call_output" as const, call_id, output: "12 °C" }));
    const returned = first.output as ResponseInput; // outputs are inputs, as the documentation has it
    await client.responses.create({ ...params, input: [question, ...returned, ...results] });
    expect(server.requests[1]?.["messages"]).toEqual([
      { role: "user", content: [{ type: "text", text: question.content }] },
      { role: "assistant", content: toolUseAnswer["content"] },
      {
        role: "user",
        content: ["toolu_01A", "toolu_01B", "toolu_01C"].map((id) => ({
          type: "tool_result",
          tool_use_id: id,
          content: "12 °C",
        })),
      },
    ]);
  });

  it("brings a search and its encrypted pages back in the next turn", async () => {
    server.answers.push(searchAnswer, textAnswer);
    const params = { model: MODEL, tools: [{ type: "web_search" as const }] };
    const first = await client.responses.create({ ...params, input: "What is a weir?" });
    const returned = first.output as ResponseInput; // see above
    await client.responses.create({ ...params, input: [...returned, { role: "user", content: "And a dam?" }] });
    const turns = server.requests[1]?.["messages"] as { content: unknown[] }[] | undefined; // it has turns
    // Of a text that goes back only the text counts: its citations were for the reader.
    const sent = (searchAnswer["content"] as JsonRecord[]).map((block) => ({ ...block }));
    for (const block of sent) delete block["citations"];
    expect(turns?.[0]?.content).toEqual(sent);
  });

  it("parses a structured answer and the arguments of a strict function", async () => {
    const content = [
      { type: "text", text: '{"answer":42}' },
      { type: "tool_use", id: "toolu_1", name: "get_weather", input: { city: "Bonn" } },
    ];
    server.answers.push({ ...textAnswer, content });
    const schema = {
      type: "object",
      properties: { answer: { type: "number" } },
      required: ["answer"],
      additionalProperties: false,
    };
    const parsed = await client.responses.parse({
      model: MODEL,
      input: "6 × 7?",
      tools: [weather],
      text: { format: { type: "json_schema", name: "result", schema } },
    });
    expect(parsed.output_parsed).toEqual({ answer: 42 });
    expect(parsed.output[1]).toMatchObject({ parsed_arguments: { city: "Bonn" } });
    expect(server.requests[0]?.["output_config"]).toEqual({ format: { type: "json_schema", schema } });
  });

  it("sees a refusal", async () => {
    server.answers.push(refusedAnswer);
    const response = await client.responses.stream({ model: MODEL, input: "Hi" }).finalResponse();
    expect(response.incomplete_details).toEqual({ reason: "content_filter" });
    expect(response.output[0]).toMatchObject({
      content: [{}, { type: "refusal", refusal: "I can't help with that." }],
    });
  });

  it("throws an error that came inside the stream, with its message", async () => {
    const error = { type: "error", error: { type: "overloaded_error", message: "Overloaded" } };
    const stream = messagesStream(textAnswer).toString();
    const start = stream.slice(0, stream.indexOf("event: message_delta"));
    server.answers.push(`${start}event: error\ndata: ${JSON.stringify(error)}\n\n`);
    const failed = client.responses.stream({ model: MODEL, input: "Hi" }).finalResponse();
    await expect(failed).rejects.toThrow(APIError);
    await expect(failed).rejects.toThrow("Overloaded");
  });

  it("does not take a stream that was cut for a complete one", async () => {
    const stream = messagesStream(textAnswer).toString();
    server.answers.push(stream.slice(0, stream.indexOf("event: message_delta")));
    const response = await client.responses
      .stream({ model: MODEL, input: "Hi" })
      .finalResponse()
      .catch(() => null);
    expect(response?.status).not.toBe("completed");
  });

  it("is told which field cannot be had, and why", async () => {
    const asked = client.responses.create({ model: MODEL, input: "Hi", previous_response_id: "resp_1" });
    await expect(asked).rejects.toMatchObject({
      status: 400,
      param: "previous_response_id",
      message: expect.stringContaining("stores no responses"),
    });
  });
});
