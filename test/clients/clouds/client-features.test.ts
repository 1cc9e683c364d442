/**
 * The features of Messages as clients of each format ask for them, in front of the Anthropic API: what the API is asked for, and
 * what the client gets of its answer, exactly as the tables of features say.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { MESSAGES_FEATURES } from "../../../src/wire/anthropic/features.ts";
import type { WireName } from "../../../src/wire/codec.ts";
import type { FeatureName, FeatureTable } from "../../../src/wire/features.ts";
import { CHAT_CLIENT_FEATURES } from "../../../src/wire/openai-chat/features.ts";
import { carryBlocks } from "../../../src/wire/openai-responses/block-carrier.ts";
import { RESPONSES_CLIENT_FEATURES } from "../../../src/wire/openai-responses/features.ts";
import { signThinking } from "../../../src/upstream/sandbox/thinking-signature.ts";
import { cloudKind } from "../../harness/clouds/clouds.ts";
import { CloudStack, modelAt } from "./cloud-stack.ts";
import { CITY_SCHEMA, holds, LONG_STORY, LONG_TEXT, PDF, PNG, USER_ID } from "./feature-samples.ts";
import { BEDROCK_SDK, MESSAGES_SDK, openai, VERTEX_SDK, type Poster } from "./sdks.ts";

type Body = Readonly<Record<string, unknown>>;

interface Client {
  readonly format: WireName;
  readonly table: FeatureTable;
  readonly shape: keyof Asked;
  readonly path: string;
  readonly client: (stack: CloudStack) => Poster;
}

const CLIENTS: readonly Client[] = [
  ...[MESSAGES_SDK, BEDROCK_SDK, VERTEX_SDK].map(({ format, client }) => {
    return { format, table: MESSAGES_FEATURES, shape: "messages", path: "/v1/messages", client } as const;
  }),
  { format: "openai-chat", table: CHAT_CLIENT_FEATURES, shape: "chat", path: "/chat/completions", client: openai },
  {
    format: "openai-responses",
    table: RESPONSES_CLIENT_FEATURES,
    shape: "responses",
    path: "/responses",
    client: openai,
  },
];

/** The feature in the words of each format. */
interface Asked {
  readonly messages: Body;
  readonly chat: Body;
  readonly responses: Body;
}

interface Probe {
  readonly asked: Asked;
  readonly betas?: string;
  /** How the feature is called where it does not go over. */
  readonly named: RegExp;
  /** `sent`: the Messages request that the API got. `answer`: what the client got. */
  readonly verify: (sent: Body, answer: string) => void;
}

const KIND = cloudKind("anthropic");
let stack: CloudStack;
beforeAll(async () => {
  stack = await CloudStack.start([KIND]);
});
afterAll(async () => stack?.dispose());

/** One user message of several parts. */
const user = (messages: unknown[], chat: unknown[], responses: unknown[]): Asked => ({
  messages: { messages: [{ role: "user", content: messages }] },
  chat: { messages: [{ role: "user", content: chat }] },
  responses: { input: [{ role: "user", content: responses }] },
});
/** One user message of text. */
const says = (text: string): Asked => ({
  messages: { messages: [{ role: "user", content: text }] },
  chat: { messages: [{ role: "user", content: text }] },
  responses: { input: text },
});
const QUESTION = [
  { type: "text", text: "What is this?" },
  { type: "text", text: "What is this?" },
  { type: "input_text", text: "What is this?" },
] as const;
const HELLO = says("Say hello.");

/** An earlier turn of the assistant's, in front of another question. */
const afterTurn = (block: Body): Asked => {
  const first = { role: "user", content: "Say hello." };
  const next = { role: "user", content: "And goodbye." };
  const text = { type: "text", text: "Hello." };
  return {
    messages: { messages: [first, { role: "assistant", content: [block, text] }, next] },
    chat: { messages: [first, { role: "assistant", content: "Hello.", thinking_blocks: [block] }, next] },
    responses: {
      input: [
        first,
        { type: "reasoning", id: "rs_1", summary: [], encrypted_content: carryBlocks([block]) },
        { role: "assistant", content: "Hello." },
        next,
      ],
    },
  };
};

const PARAMETERS = { type: "object", properties: { command: { type: "string" } }, required: ["command"] };
const TOOLS = {
  messages: { tools: [{ name: "Bash", input_schema: PARAMETERS }] },
  chat: { tools: [{ type: "function", function: { name: "Bash", parameters: PARAMETERS } }] },
  responses: { tools: [{ type: "function", name: "Bash", parameters: PARAMETERS, strict: false }] },
};
/** The same members in all formats: those of Messages that the others take as they are. */
const everywhere = (members: Body): Asked => ({ messages: members, chat: members, responses: members });

describe.each(CLIENTS)("a client that speaks $format", ({ format, table, shape, path, client }) => {
  /** Asks for a feature and expects what the table says. */
  async function probe(feature: FeatureName, { asked, betas, named, verify }: Probe): Promise<void> {
    const { support } = table[feature];
    const ask = async (): Promise<void> => {
      const limit = shape === "messages" ? { max_tokens: 4_000 } : {};
      const body = { model: modelAt(KIND), ...limit, ...HELLO[shape], ...asked[shape] };
      const headers: Record<string, string> = betas === undefined ? {} : { "anthropic-beta": betas };
      const failed = await client(stack)
        .post(path, { body, headers })
        .then(
          () => null,
          (error: unknown) => error,
        );
      if (support === "refused") {
        expect(failed).toMatchObject({ status: 400 });
        expect(String(failed)).toMatch(named);
        return;
      }
      expect(failed).toBeNull();
      if (support === "warning") expect(stack.warnings).toMatch(named);
      else expect(stack.warnings).toBe("");
      if (support === "yes") verify(stack.sentBody(KIND), Buffer.from(await stack.wire.last.body, "latin1").toString());
    };
    await stack.run({ name: `feature ${feature}`, kind: KIND, format }, ask, {
      charges: support === "refused" ? 0 : 1,
    });
  }

  it("has the model think as much as it asks", async () => {
    await probe("thinking", {
      asked: {
        messages: { thinking: { type: "adaptive" }, output_config: { effort: "low" } },
        chat: { reasoning_effort: "low" },
        responses: { reasoning: { effort: "low", summary: "auto" } },
      },
      named: /reasoning/,
      verify: (sent, answer) => {
        expect(sent).toMatchObject({ thinking: { type: "adaptive" }, output_config: { effort: "low" } });
        expect(answer).toMatch(/"thinking"|"reasoning_content"|"summary_text"/);
      },
    });
  });

  it("sends signed thinking back", async () => {
    const block = { type: "thinking", thinking: "Hm.", signature: signThinking("Hm.") };
    await probe("thinking_signatures", {
      asked: afterTurn(block),
      named: /thinking/,
      verify: (sent) => expect(holds(sent, block)).toBe(true),
    });
  });

  it("sends redacted thinking back", async () => {
    const block = { type: "redacted_thinking", data: "c2VhbGVk" };
    await probe("redacted_thinking", {
      asked: afterTurn(block),
      named: /thinking/,
      verify: (sent) => expect(holds(sent, block)).toBe(true),
    });
  });

  it("chooses the tool to be called", async () => {
    await probe("tool_choice", {
      asked: {
        messages: { ...TOOLS.messages, tool_choice: { type: "tool", name: "Bash" } },
        chat: { ...TOOLS.chat, tool_choice: { type: "function", function: { name: "Bash" } } },
        responses: { ...TOOLS.responses, tool_choice: { type: "function", name: "Bash" } },
      },
      named: /tool_choice/,
      verify: (sent, answer) => {
        expect(sent["tool_choice"]).toMatchObject({ type: "tool", name: "Bash" });
        expect(answer).toContain("Bash");
      },
    });
  });

  it.each([
    ["cache_control_5m", { type: "ephemeral" }],
    ["cache_control_1h", { type: "ephemeral", ttl: "1h" }],
  ] as const)("marks what is to be cached: %s", async (feature, cache_control) => {
    const text = `${format} ${feature} ${LONG_TEXT}`;
    await probe(feature, {
      asked: user(
        [{ type: "text", text, cache_control }],
        [{ type: "text", text, cache_control }],
        [{ type: "input_text", text, cache_control }],
      ),
      named: /cache_control/,
      verify: (sent) => {
        expect(holds(sent, { cache_control })).toBe(true);
        const usage = stack.cloud(KIND).charges[0]?.usage;
        expect(usage?.["cache_creation_input_tokens"]).toBeGreaterThan(1_000);
      },
    });
  });

  it("is told what was read from a cache and what was written to it", async () => {
    const cache_control = { type: "ephemeral" };
    const text = `${format} split ${LONG_TEXT}`;
    const asked = user(
      [{ type: "text", text, cache_control }],
      [{ type: "text", text, cache_control }],
      [{ type: "input_text", text, cache_control }],
    )[shape];
    const limit = shape === "messages" ? { max_tokens: 4_000 } : {};
    const ask = async (): Promise<unknown> =>
      await client(stack).post(path, { body: { model: modelAt(KIND), ...limit, ...asked } });
    const cell = { name: "feature usage_cache_split", kind: KIND, format };
    await stack.run(
      cell,
      async () => {
        const answers = [await ask(), await ask()];
        const [written, read] = answers.map((answer) => JSON.stringify(answer));
        const count = Number(stack.cloud(KIND).charges[0]?.usage?.["cache_creation_input_tokens"]);
        expect(count).toBeGreaterThan(1_000);
        const names = {
          messages: ["cache_creation_input_tokens", "cache_read_input_tokens"],
          chat: ["cache_write_tokens", "cached_tokens"],
          responses: ["cache_write_tokens", "cached_tokens"],
        };
        expect(written).toContain(`"${names[shape][0]}":${count}`);
        expect(read).toContain(`"${names[shape][1]}":${count}`);
      },
      { charges: 2 },
    );
  });

  it("shows pictures", async () => {
    const url = `data:image/png;base64,${PNG}`;
    const source = { type: "base64", media_type: "image/png", data: PNG };
    await probe("images_base64", {
      asked: user(
        [QUESTION[0], { type: "image", source }],
        [QUESTION[1], { type: "image_url", image_url: { url } }],
        [QUESTION[2], { type: "input_image", image_url: url }],
      ),
      named: /image/,
      verify: (sent) => expect(holds(sent, { type: "image", source })).toBe(true),
    });
  });

  it("shows pictures by their address", async () => {
    const url = "https://pictures.example/cat.png";
    await probe("images_url", {
      asked: user(
        [QUESTION[0], { type: "image", source: { type: "url", url } }],
        [QUESTION[1], { type: "image_url", image_url: { url } }],
        [QUESTION[2], { type: "input_image", image_url: url }],
      ),
      named: /image/,
      verify: (sent) => expect(holds(sent, { type: "image", source: { type: "url", url } })).toBe(true),
    });
  });

  it("hands over PDF documents", async () => {
    const file = { filename: "a.pdf", file_data: `data:application/pdf;base64,${PDF}` };
    const source = { type: "base64", media_type: "application/pdf", data: PDF };
    await probe("documents_pdf", {
      asked: user(
        [QUESTION[0], { type: "document", source, title: "a.pdf" }],
        [QUESTION[1], { type: "file", file }],
        [QUESTION[2], { type: "input_file", ...file }],
      ),
      named: /file|document/,
      verify: (sent) => expect(holds(sent, { type: "document", source })).toBe(true),
    });
  });

  it("hands over documents of text", async () => {
    const text = "Grün ist das Gras.";
    const file = { filename: "a.txt", file_data: `data:text/plain;base64,${Buffer.from(text).toString("base64")}` };
    const source = { type: "text", media_type: "text/plain", data: text };
    await probe("documents_text", {
      asked: user(
        [QUESTION[0], { type: "document", source, title: "a.txt" }],
        [QUESTION[1], { type: "file", file }],
        [QUESTION[2], { type: "input_file", ...file }],
      ),
      named: /file|document/,
      verify: (sent) => expect(holds(sent, { type: "document", source })).toBe(true),
    });
  });

  it.each(["server_tools_web_search", "citations"] as const)(
    "has the web searched, with what was found: %s",
    async (feature) => {
      const prompt = says("Search the web for news of grass.");
      await probe(feature, {
        asked: {
          messages: { ...prompt.messages, tools: [{ type: "web_search_20250305", name: "web_search" }] },
          chat: { ...prompt.chat, web_search_options: {} },
          responses: { ...prompt.responses, tools: [{ type: "web_search" }] },
        },
        named: /web_search/,
        verify: (sent, answer) => {
          expect(JSON.stringify(sent["tools"])).toMatch(/"web_search_\d+"/);
          expect(answer).toMatch(/"web_search_tool_result"|"server_tool_blocks"|"web_search_call"/);
          expect(answer).toMatch(/"web_search_result_location"|"url_citation"/);
        },
      });
    },
  );

  it("has code run", async () => {
    const tool = { type: "code_execution_20250825", name: "code_execution" };
    await probe("server_tools_code_execution", {
      asked: {
        messages: { tools: [tool] },
        chat: { tools: [tool] },
        responses: { tools: [{ type: "code_interpreter", container: { type: "auto" } }] },
      },
      betas: "code-execution-2025-08-25",
      named: /tools\[0\]/,
      verify: (sent) => expect(holds(sent, tool)).toBe(true),
    });
  });

  it("connects the model to MCP servers", async () => {
    const mcp_servers = [{ type: "url", name: "wiki", url: "https://wiki.example/mcp" }];
    const toolset = { mcp_servers, tools: [{ type: "mcp_toolset", mcp_server_name: "wiki" }] };
    const server_url = "https://wiki.example/mcp";
    await probe("mcp_servers", {
      asked: {
        messages: toolset,
        chat: toolset,
        responses: { tools: [{ type: "mcp", server_label: "wiki", server_url, require_approval: "never" }] },
      },
      betas: "mcp-client-2025-11-20",
      named: /mcp/,
      verify: (sent) => expect(sent["mcp_servers"]).toMatchObject(mcp_servers),
    });
  });

  it("says where to stop", async () => {
    const stop = ["zebra crossing"];
    await probe("stop_sequences", {
      asked: { messages: { stop_sequences: stop }, chat: { stop }, responses: { stop_sequences: stop } },
      named: /stop/,
      verify: (sent) => expect(sent["stop_sequences"]).toEqual(stop),
    });
  });

  it("is told why the answer ends", async () => {
    const story = says(LONG_STORY);
    await probe("stop_reasons", {
      asked: {
        messages: { ...story.messages, max_tokens: 20 },
        chat: { ...story.chat, max_completion_tokens: 20 },
        responses: { ...story.responses, max_output_tokens: 20 },
      },
      named: /max/,
      verify: (sent, answer) => {
        expect(sent["max_tokens"]).toBe(20);
        expect(answer).toMatch(/"stop_reason": ?"max_tokens"|"finish_reason":"length"|"reason":"max_output_tokens"/);
      },
    });
  });

  it.each([
    ["refusal", "content_filter", "content_filter"],
    ["pause_turn", "stop", "max_messages"],
    ["model_context_window_exceeded", "length", "max_output_tokens"],
  ])("is told of %s in its own words", async (reason, finish, incomplete) => {
    const asked = says(`Say hello. [[sandbox: stop=${reason}]]`)[shape];
    const limit = shape === "messages" ? { max_tokens: 4_000 } : {};
    const cell = { name: `stops by ${reason}`, kind: KIND, format };
    const body = { model: modelAt(KIND), ...limit, ...asked };
    await stack.run(cell, async () => {
      const expected = {
        messages: { stop_reason: reason },
        chat: { choices: [{ finish_reason: finish }] },
        responses: { status: "incomplete", incomplete_details: { reason: incomplete } },
      };
      expect(await client(stack).post(path, { body })).toMatchObject(expected[shape]);
    });
  });

  it("gets answers in the form of a schema", async () => {
    const named = { name: "place", schema: CITY_SCHEMA, strict: true };
    await probe("structured_outputs", {
      asked: {
        messages: { output_config: { format: { type: "json_schema", schema: CITY_SCHEMA } } },
        chat: { response_format: { type: "json_schema", json_schema: named } },
        responses: { text: { format: { type: "json_schema", ...named } } },
      },
      named: /format/,
      verify: (sent, answer) => {
        expect(sent["output_config"]).toMatchObject({ format: { type: "json_schema", schema: CITY_SCHEMA } });
        expect(answer).toContain(String.raw`{\"city\":`);
      },
    });
  });

  it("has the context managed", async () => {
    const context_management = { edits: [{ type: "clear_tool_uses_20250919" }] };
    await probe("context_management", {
      asked: everywhere({ context_management }),
      betas: "context-management-2025-06-27",
      named: /context_management/,
      verify: (sent) => {
        expect(sent["context_management"]).toEqual(context_management);
        expect(stack.sent(KIND).headers["anthropic-beta"]).toContain("context-management-2025-06-27");
      },
    });
  });

  it("asks for a fast answer", async () => {
    await probe("fast_mode", {
      asked: everywhere({ speed: "fast" }),
      betas: "fast-mode-2026-02-01",
      named: /speed/,
      verify: (sent) => expect(sent["speed"]).toBe("fast"),
    });
  });

  it("asks for a tier", async () => {
    await probe("service_tier", {
      asked: {
        messages: { service_tier: "standard_only" },
        chat: { service_tier: "flex" },
        responses: { service_tier: "default" },
      },
      named: /service_tier/,
      verify: (sent) => expect(sent["service_tier"]).toBe("standard_only"),
    });
  });

  it("says where the model is to run", async () => {
    await probe("inference_geo", {
      asked: everywhere({ inference_geo: "us" }),
      named: /inference_geo/,
      verify: (sent) => expect(sent["inference_geo"]).toBe("us"),
    });
  });

  it("says who its end user is", async () => {
    await probe("metadata_user_id", {
      asked: {
        messages: { metadata: { user_id: USER_ID } },
        chat: { user: USER_ID },
        responses: { safety_identifier: USER_ID },
      },
      named: /user/,
      verify: (sent) => expect(sent["metadata"]).toEqual({ user_id: USER_ID }),
    });
  });
});

it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());
