import type OpenAI from "openai";
import { APIError, BadRequestError, RateLimitError } from "openai";
import { describe, expect, it } from "vitest";

import type { CloudKind } from "../../harness/clouds/clouds.ts";
import { modelAt, type Cell, type CloudStack } from "./cloud-stack.ts";
import { isNative, PARALLEL, SHELL, expectTooLong, overload } from "./openai-cells.ts";
import { openai } from "./sdks.ts";

type Item = OpenAI.Responses.ResponseInputItem;
type Question = OpenAI.Responses.ResponseCreateParamsNonStreaming;
type Answer = OpenAI.Responses.Response;

const TOOLS: OpenAI.Responses.Tool[] = [{ type: "function", ...SHELL, strict: false }];
const THINKS = {
  reasoning: { effort: "low", summary: "auto" },
  include: ["reasoning.encrypted_content"],
} as const satisfies Partial<Question>;

/** How OpenAI's SDK sees one kind of upstream through Responses. */
export function describeResponsesCells(kind: CloudKind, stackOf: () => CloudStack): void {
  const run = (name: string, work: (client: OpenAI) => Promise<void>, charges = 1): void => {
    const cell: Cell = { name: `responses: ${name}`, kind, format: "openai-responses" };
    it(name, async () => {
      const stack = stackOf();
      await stack.run(cell, () => work(openai(stack)), { charges });
    });
  };
  const hello: Question = { model: modelAt(kind), input: "Say hello.", store: false };

  describe(`openai responses in front of ${kind.kind}`, () => {
    run("gets a whole answer", async (client) => {
      const answer = await client.responses.create(hello);
      expect(answer).toMatchObject({ object: "response", status: "completed", error: null });
      expect(answer.output_text).toMatch(/./);
      expect(answer.usage?.output_tokens).toBeGreaterThan(0);
      expect(answer.usage?.input_tokens).toBeGreaterThan(0);
      expect(answer._request_id).toBe(stackOf().wire.last.headers.get("request-id"));
    });

    run("gets a stream whose pieces are the whole", async (client) => {
      const stream = client.responses.stream({ ...hello, stream: true });
      const pieces: string[] = [];
      stream.on("response.output_text.delta", ({ delta }) => pieces.push(delta));
      const numbers: number[] = [];
      stream.on("event", (event) => numbers.push(event.sequence_number));
      const answer = await stream.finalResponse();
      expect(pieces.length).toBeGreaterThan(1);
      expect(pieces.join("")).toBe(answer.output_text);
      expect(answer.status).toBe("completed");
      expect(answer.usage?.output_tokens).toBeGreaterThan(0);
      expect(numbers).toEqual(numbers.map((_, index) => index + (numbers[0] ?? 0)));
    });

    for (const streams of [false, true]) {
      const ask = async (client: OpenAI, question: Question): Promise<Answer> =>
        streams
          ? await client.responses.stream({ ...question, stream: true }).finalResponse()
          : await client.responses.create(question);

      run(
        `calls two tools at once and is told their results, ${streams ? "streamed" : "whole"}`,
        async (client) => {
          const input: Item[] = [{ role: "user", content: PARALLEL }];
          const first = await ask(client, { ...hello, input, tools: TOOLS });
          const calls = first.output.filter((item) => item.type === "function_call");
          expect(calls.map((call) => [call.name, JSON.parse(call.arguments)])).toMatchObject([
            ["Bash", { command: "echo first" }],
            ["Bash", { command: "echo second" }],
          ]);
          const results = calls.map(({ call_id }, index): Item => {
            return { type: "function_call_output", call_id, output: ["first", "second"][index] ?? "" };
          });
          const history = [...input, ...first.output.map(asInput), ...results];
          const second = await ask(client, { ...hello, input: history, tools: TOOLS });
          expect(second.status).toBe("completed");
          expect(second.output_text).toContain("second");
        },
        2,
      );

      run(
        `thinks over two turns, ${streams ? "streamed" : "whole"}`,
        async (client) => {
          const question = kind.kind === "openai-compatible" ? hello : { ...hello, ...THINKS };
          const input: Item[] = [{ role: "user", content: "Say hello." }];
          const first = await ask(client, { ...question, input });
          const reasoning = first.output.find((item) => item.type === "reasoning");
          if (kind.speaksMessages || kind.kind === "openai-responses") {
            expect(reasoning?.encrypted_content).toMatch(/./);
            expect(reasoning?.summary).toMatchObject([{ type: "summary_text", text: expect.stringMatching(/./) }]);
          }
          const next: Item = { role: "user", content: "And goodbye." };
          const second = await ask(client, { ...question, input: [...input, ...first.output.map(asInput), next] });
          expect(second.status).toBe("completed");
          expect(second.output_text).toMatch(/./);
        },
        2,
      );
    }

    run(
      "keeps the words of a prompt that is too long",
      async (client) => {
        const server = stackOf().cloud(kind);
        for (const stream of [false, true]) {
          server.nextFault({ kind: "prompt_too_long" });
          const error = await errorOf(
            stream ? client.responses.create({ ...hello, stream }) : client.responses.create(hello),
          );
          expect(error).toBeInstanceOf(BadRequestError);
          expectTooLong(error, server.dialect.promptTooLong.message);
        }
      },
      0,
    );

    run(
      "is told when to come back",
      async (client) => {
        const message = "Too many tokens this minute.";
        stackOf()
          .cloud(kind)
          .nextFault({ kind: "status", status: 429, message, headers: { "retry-after": "7" } });
        const error = await errorOf(client.responses.create(hello));
        expect(error).toBeInstanceOf(RateLimitError);
        // OpenAI's own word for it is another one.
        if (!isNative(kind, "openai-responses")) expect(error.type).toBe("rate_limit_error");
        expect(error.message).toContain(message);
        expect(error.headers?.get("retry-after")).toBe("7");
        expect(error.requestID).toBe(stackOf().wire.last.headers.get("request-id"));
      },
      0,
    );

    run(
      "is told that the model is overloaded",
      async (client) => {
        const { status, fault } = overload(kind, "openai-responses");
        stackOf().cloud(kind).nextFault(fault);
        const error = await errorOf(client.responses.create(hello));
        expect(error).toMatchObject({ status, message: expect.stringContaining("The model is overloaded.") });
      },
      0,
    );

    run(
      "counts tokens, or is given an estimate that says so",
      async (client) => {
        const question = { model: modelAt(kind), input: "Say hello." };
        const { data, response } = await client.responses.inputTokens.count(question).withResponse();
        expect(data).toMatchObject({ object: "response.input_tokens", input_tokens: expect.any(Number) });
        expect(data.input_tokens).toBeGreaterThan(0);
        const warning = response.headers.get("x-weir-warning") ?? "";
        expect(warning.includes("input_tokens is an estimate by Weir")).toBe(!countsTokens(kind));
      },
      0,
    );
  });
}

/** Whether an upstream of this kind, as CLOUDS sets it up, counts tokens. */
export function countsTokens({ kind, speaksMessages }: CloudKind): boolean {
  return kind === "openai-responses" || (speaksMessages && kind !== "custom-sagemaker");
}

/** An item of an answer as the next request has it: without what the SDK's stream helper has put into it. */
function asInput(item: OpenAI.Responses.ResponseOutputItem): Item {
  const bare = JSON.stringify(item, (name, value: unknown) => (name.startsWith("parsed") ? undefined : value));
  return JSON.parse(bare) as Item; // what comes out may go in again
}

async function errorOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof APIError) return error;
  throw error;
}
