import type Anthropic from "@anthropic-ai/sdk";
import { APIError, BadRequestError, RateLimitError } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import type { CloudKind } from "../../harness/clouds/clouds.ts";
import { countsTokens } from "./responses-cells.ts";
import { modelAt, type Cell, type CloudStack } from "./cloud-stack.ts";
import type { MessagesClient, MessagesSdk } from "./sdks.ts";

type Block = Anthropic.ContentBlock;

const TOOLS: Anthropic.Tool[] = [
  {
    name: "Bash",
    description: "Runs a shell command",
    input_schema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
  },
];
const PARALLEL = "Run `echo first` and also run `echo second`, both in parallel.";
const THINKING = { thinking: { type: "enabled", budget_tokens: 1_024 }, max_tokens: 4_000 } as const;

/** How one of Anthropic's SDKs sees one kind of upstream. */
export function describeMessagesCells(sdk: MessagesSdk, kind: CloudKind, stackOf: () => CloudStack): void {
  const run = (name: string, work: (client: MessagesClient) => Promise<void>, charges = 1): void => {
    const cell: Cell = { name: `${sdk.name}: ${name}`, kind, format: sdk.format };
    it(name, async () => {
      const stack = stackOf();
      await stack.run(cell, () => work(sdk.client(stack)), { charges });
    });
  };
  // A client of the cloud's own format gets the cloud's own errors, which do not all name a type.
  const passesErrors = sdk.format !== "anthropic" && sdk.format === kind.provider;
  const expectType = (error: APIError, type: string): void => {
    if (!passesErrors) expect(error.type).toBe(type);
  };
  // Bedrock knows no 529.
  const busy = kind.provider === "bedrock" ? 503 : 529;
  const hello = { model: modelAt(kind), max_tokens: 2_000, messages: [user("Say hello.")] };

  describe(`${sdk.name} in front of ${kind.kind}`, () => {
    run("gets a whole answer", async ({ messages }) => {
      const answer = await messages.create(hello);
      expect(answer).toMatchObject({
        type: "message",
        role: "assistant",
        stop_reason: "end_turn",
        stop_sequence: null,
      });
      expect(textOf(answer.content)).toMatch(/./);
      expect(answer.usage.output_tokens).toBeGreaterThan(0);
      expect(answer.usage.input_tokens).toBeGreaterThan(0);
    });

    run("gets a stream whose pieces are the whole", async ({ messages }) => {
      const stream = messages.stream(hello);
      const pieces: string[] = [];
      stream.on("text", (piece) => pieces.push(piece));
      const answer = await stream.finalMessage();
      expect(pieces.length).toBeGreaterThan(1);
      expect(textOf(answer.content)).toBe(pieces.join(""));
      expect(answer.stop_reason).toBe("end_turn");
      expect(answer.usage.output_tokens).toBeGreaterThan(0);
    });

    for (const streams of [false, true]) {
      const title = streams ? "streamed, its input in pieces" : "whole";
      run(
        `calls two tools at once and is told their results, ${title}`,
        async ({ messages }) => {
          const ask = user(PARALLEL);
          const request = { ...hello, tools: TOOLS, messages: [ask] };
          const first = streams ? await messages.stream(request).finalMessage() : await messages.create(request);
          expect(first.stop_reason).toBe("tool_use");
          const calls = first.content.filter((block) => block.type === "tool_use");
          expect(calls).toMatchObject([
            { name: "Bash", input: { command: "echo first" } },
            { name: "Bash", input: { command: "echo second" } },
          ]);
          expect(calls[0]?.id).not.toBe(calls[1]?.id);
          const results = calls.map(({ id }, index) => toolResult(id, ["first", "second"][index] ?? ""));
          const history = [ask, assistant(first.content), { role: "user" as const, content: results }];
          const next = { ...request, messages: history };
          const second = streams ? await messages.stream(next).finalMessage() : await messages.create(next);
          expect(second.stop_reason).toBe("end_turn");
          expect(textOf(second.content)).toContain("second");
        },
        2,
      );

      run(
        `thinks over two turns, ${streams ? "streamed" : "whole"}`,
        async ({ messages }) => {
          const ask = user("Say hello.");
          const request = { ...hello, ...THINKING, messages: [ask] };
          const first = streams ? await messages.stream(request).finalMessage() : await messages.create(request);
          const thought = first.content.find((block) => block.type === "thinking");
          // OpenAI's own models do not show what they thought.
          if (kind.speaksMessages) expect(thought?.signature).toMatch(/^[A-Za-z0-9+/=]{40,}$/);
          const history = [ask, assistant(first.content), user("And goodbye.")];
          const next = { ...request, messages: history };
          const second = streams ? await messages.stream(next).finalMessage() : await messages.create(next);
          expect(second.stop_reason).toBe("end_turn");
          expect(textOf(second.content)).toMatch(/./);
        },
        2,
      );
    }

    run(
      "keeps the words of a prompt that is too long",
      async ({ messages }) => {
        const server = stackOf().cloud(kind);
        for (const streams of [false, true]) {
          server.nextFault({ kind: "prompt_too_long" });
          const error = await errorOf(streams ? messages.stream(hello).finalMessage() : messages.create(hello));
          expect(error).toBeInstanceOf(BadRequestError);
          expect(error.message).toContain(server.dialect.promptTooLong.message);
          expectType(error, "invalid_request_error");
        }
      },
      0,
    );

    run(
      "is told when to come back",
      async ({ messages }) => {
        const message = "Too many tokens this minute.";
        stackOf()
          .cloud(kind)
          .nextFault({ kind: "status", status: 429, message, headers: { "retry-after": "7" } });
        const error = await errorOf(messages.create(hello));
        expect(error).toBeInstanceOf(RateLimitError);
        expect(error.message).toContain(message);
        expectType(error, "rate_limit_error");
        expect(error.headers?.get("retry-after")).toBe("7");
      },
      0,
    );

    run(
      "is told that the model is overloaded",
      async ({ messages }) => {
        stackOf().cloud(kind).nextFault({ kind: "status", status: busy, message: "The model is overloaded." });
        const error = await errorOf(messages.create(hello));
        expect(error.message).toContain("The model is overloaded.");
        expectType(error, "overloaded_error");
        expect(error.status).toBe(sdk.format === "bedrock" ? 503 : busy);
      },
      0,
    );

    if (sdk.countsTokens)
      run(
        "counts tokens, or is given an estimate that says so",
        async ({ messages }) => {
          const question = { model: modelAt(kind), messages: [user("Say hello.")] };
          const { data, response } = await messages.countTokens(question).withResponse();
          expect(data.input_tokens).toBeGreaterThan(0);
          const warning = response.headers.get("x-weir-warning") ?? "";
          expect(warning.includes("input_tokens is an estimate by Weir")).toBe(!countsTokens(kind));
        },
        0,
      );
  });
}

function user(content: string): Anthropic.MessageParam {
  return { role: "user", content };
}

function assistant(content: readonly Block[]): Anthropic.MessageParam {
  return { role: "assistant", content: [...content] };
}

function toolResult(id: string, content: string): Anthropic.ToolResultBlockParam {
  return { type: "tool_result", tool_use_id: id, content };
}

function textOf(content: readonly Block[]): string {
  return content.map((block) => (block.type === "text" ? block.text : "")).join("");
}

async function errorOf(work: Promise<unknown>): Promise<APIError> {
  const error = await work.then(
    () => new Error("it succeeded"),
    (thrown: unknown) => thrown,
  );
  if (error instanceof APIError) return error;
  throw error;
}
