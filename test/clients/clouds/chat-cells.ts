import type OpenAI from "openai";
import { APIError, BadRequestError, RateLimitError } from "openai";
import { describe, expect, it } from "vitest";

import type { CloudKind } from "../../harness/clouds/clouds.ts";
import { modelAt, type Cell, type CloudStack } from "./cloud-stack.ts";
import { isNative, PARALLEL, SHELL, expectTooLong, overload } from "./openai-cells.ts";
import { openai } from "./sdks.ts";

type Message = OpenAI.ChatCompletionMessageParam;
type Answer = OpenAI.ChatCompletion;
type Question = OpenAI.ChatCompletionCreateParamsNonStreaming;

const TOOLS: OpenAI.ChatCompletionTool[] = [{ type: "function", function: SHELL }];

/** How OpenAI's SDK sees one kind of upstream through Chat Completions. */
export function describeChatCells(kind: CloudKind, stackOf: () => CloudStack): void {
  const run = (name: string, work: (client: OpenAI) => Promise<void>, charges = 1): void => {
    const cell: Cell = { name: `chat: ${name}`, kind, format: "openai-chat" };
    it(name, async () => {
      const stack = stackOf();
      await stack.run(cell, () => work(openai(stack)), { charges });
    });
  };
  const hello: Question = { model: modelAt(kind), messages: [{ role: "user", content: "Say hello." }] };

  describe(`openai chat.completions in front of ${kind.kind}`, () => {
    run("gets a whole answer", async (client) => {
      const { choices, usage, model, _request_id } = await client.chat.completions.create(hello);
      expect(choices).toMatchObject([{ index: 0, finish_reason: "stop", message: { role: "assistant" } }]);
      expect(choices[0]?.message.content).toMatch(/./);
      expect(usage?.total_tokens).toBe((usage?.prompt_tokens ?? 0) + (usage?.completion_tokens ?? 0));
      expect(usage?.completion_tokens).toBeGreaterThan(0);
      expect(model).toMatch(/./);
      expect(_request_id).toBe(stackOf().wire.last.headers.get("request-id"));
    });

    for (const includesUsage of [false, true]) {
      run(`gets a stream whose pieces are the whole, ${includesUsage ? "with" : "without"} usage`, async (client) => {
        const options = includesUsage ? { stream_options: { include_usage: true } } : {};
        const stream = await client.chat.completions.create({ ...hello, ...options, stream: true });
        const chunks = await Array.fromAsync(stream);
        const pieces = chunks.flatMap(({ choices }) => choices.map(({ delta }) => delta.content ?? ""));
        expect(pieces.filter((piece) => piece !== "").length).toBeGreaterThan(1);
        expect(chunks.flatMap(({ choices }) => choices.map((choice) => choice.finish_reason)).at(-1)).toBe("stop");
        const usages = chunks.flatMap(({ usage }) => usage ?? []);
        expect(usages.length).toBe(includesUsage ? 1 : 0);
        if (includesUsage) expect(chunks.at(-1)?.usage?.completion_tokens).toBeGreaterThan(0);
        expect(await stackOf().wire.last.body).toMatch(/data: \[DONE\]\n\n$/);
      });
    }

    for (const streams of [false, true]) {
      const ask = async (client: OpenAI, question: Question): Promise<Answer> =>
        streams
          ? await client.chat.completions.stream({ ...question, stream: true }).finalChatCompletion()
          : await client.chat.completions.create(question);

      run(
        `calls two tools at once and is told their results, ${streams ? "streamed" : "whole"}`,
        async (client) => {
          const messages: Message[] = [{ role: "user", content: PARALLEL }];
          const first = (await ask(client, { ...hello, messages, tools: TOOLS })).choices[0];
          expect(first?.finish_reason).toBe("tool_calls");
          const calls = (first?.message.tool_calls ?? []).filter((call) => call.type === "function");
          expect(calls.map((call) => [call.function.name, JSON.parse(call.function.arguments)])).toMatchObject([
            ["Bash", { command: "echo first" }],
            ["Bash", { command: "echo second" }],
          ]);
          const results = calls.map(({ id }, index): Message => {
            return { role: "tool", tool_call_id: id, content: ["first", "second"][index] ?? "" };
          });
          const history = [...messages, assistant(first), ...results];
          const second = (await ask(client, { ...hello, messages: history, tools: TOOLS })).choices[0];
          expect(second).toMatchObject({
            finish_reason: "stop",
            message: { content: expect.stringContaining("second") },
          });
        },
        2,
      );

      run(
        `thinks over two turns, ${streams ? "streamed" : "whole"}`,
        async (client) => {
          const question: Question = kind.kind === "openai-compatible" ? hello : { ...hello, reasoning_effort: "low" };
          const first = (await ask(client, question)).choices[0];
          if (kind.speaksMessages && !streams) {
            expect(first?.message).toMatchObject({
              reasoning_content: expect.stringMatching(/./),
              thinking_blocks: [{ type: "thinking", signature: expect.stringMatching(/^[A-Za-z0-9+/=]{40,}$/) }],
            });
          }
          const history: Message[] = [...hello.messages, assistant(first), { role: "user", content: "And goodbye." }];
          const second = (await ask(client, { ...question, messages: history })).choices[0];
          expect(second).toMatchObject({ finish_reason: "stop", message: { content: expect.stringMatching(/./) } });
        },
        2,
      );
    }

    run(
      "keeps the words of a prompt that is too long",
      async (client) => {
        const { completions } = client.chat;
        const server = stackOf().cloud(kind);
        for (const stream of [false, true]) {
          server.nextFault({ kind: "prompt_too_long" });
          const error = await errorOf(stream ? completions.create({ ...hello, stream }) : completions.create(hello));
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
        const error = await errorOf(client.chat.completions.create(hello));
        expect(error).toBeInstanceOf(RateLimitError);
        // OpenAI's own word for it is another one.
        if (!isNative(kind, "openai-chat")) expect(error.type).toBe("rate_limit_error");
        expect(error.message).toContain(message);
        expect(error.headers?.get("retry-after")).toBe("7");
        expect(error.requestID).toBe(stackOf().wire.last.headers.get("request-id"));
      },
      0,
    );

    run(
      "is told that the model is overloaded",
      async (client) => {
        const { status, fault } = overload(kind, "openai-chat");
        stackOf().cloud(kind).nextFault(fault);
        const error = await errorOf(client.chat.completions.create(hello));
        expect(error).toMatchObject({ status, message: expect.stringContaining("The model is overloaded.") });
      },
      0,
    );
  });
}

/** The answer as the next request has it: all of the message, what the SDK's types do not know included. */
function assistant(choice: OpenAI.ChatCompletion.Choice | undefined): Message {
  if (choice === undefined) throw new Error("there was no answer");
  const { content, refusal: _, ...rest } = choice.message;
  const kept = Object.entries({ ...rest }).filter(([name]) => !["annotations", "parsed"].includes(name));
  return { ...Object.fromEntries(kept), role: "assistant", content };
}

async function errorOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof APIError) return error;
  throw error;
}
