/**
 * What upstreams of each format make of the features of Messages, asked by @anthropic-ai/sdk: carried, left out with a warning,
 * or refused by name, exactly as the tables of features say.
 */
import type Anthropic from "@anthropic-ai/sdk";
import { BadRequestError } from "@anthropic-ai/sdk";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { BEDROCK_FEATURES } from "../../../src/wire/bedrock/features.ts";
import type { WireName } from "../../../src/wire/codec.ts";
import type { FeatureName, FeatureTable } from "../../../src/wire/features.ts";
import { MESSAGES_FEATURES } from "../../../src/wire/anthropic/features.ts";
import { CHAT_TARGET_FEATURES } from "../../../src/wire/openai-chat/features.ts";
import { RESPONSES_TARGET_FEATURES } from "../../../src/wire/openai-responses/features.ts";
import { VERTEX_FEATURES } from "../../../src/wire/vertex/features.ts";
import { signThinking } from "../../../src/upstream/sandbox/thinking-signature.ts";
import { cloudKind, type CloudKind } from "../../harness/clouds/clouds.ts";
import { CloudStack, modelAt } from "./cloud-stack.ts";
import { CITY_SCHEMA, holds, LONG_STORY, LONG_TEXT, PDF, PNG, USER_ID } from "./feature-samples.ts";
import { anthropic } from "./sdks.ts";

interface Upstream {
  readonly format: WireName;
  readonly kind: CloudKind;
  readonly table: FeatureTable;
}

const UPSTREAMS: readonly Upstream[] = [
  { format: "anthropic", kind: cloudKind("anthropic"), table: MESSAGES_FEATURES },
  { format: "bedrock", kind: cloudKind("bedrock"), table: BEDROCK_FEATURES },
  { format: "vertex", kind: cloudKind("vertex"), table: VERTEX_FEATURES },
  { format: "openai-chat", kind: cloudKind("openai"), table: CHAT_TARGET_FEATURES },
  { format: "openai-responses", kind: cloudKind("openai-responses"), table: RESPONSES_TARGET_FEATURES },
];

type Body = Readonly<Record<string, unknown>>;

/** How a feature is asked for, and what shows that it went over. */
interface Probe {
  readonly body: Body;
  readonly betas?: string;
  /** How the feature is called where it does not go over. */
  readonly named: RegExp;
  /** Whether the upstream was asked for it, and the answer has it. */
  readonly verify: (answer: Anthropic.Message, sent: Body) => void;
}

let stack: CloudStack;
beforeAll(async () => {
  stack = await CloudStack.start(UPSTREAMS.map(({ kind }) => kind));
});
afterAll(async () => stack?.dispose());

const HELLO = [{ role: "user", content: "Say hello." }];
const user = (...content: unknown[]): Body => ({ messages: [{ role: "user", content }] });
const BASH = {
  name: "Bash",
  description: "Runs a shell command",
  input_schema: { type: "object", properties: { command: { type: "string" } }, required: ["command"] },
};
/** An earlier turn in front of another question. */
const afterTurn = (...content: unknown[]): Body => ({
  messages: [...HELLO, { role: "assistant", content }, { role: "user", content: "And goodbye." }],
});

describe.each(UPSTREAMS)("an upstream that speaks $format", ({ format, kind, table }) => {
  const isClaude = kind.speaksMessages;

  /** Asks for a feature and expects what the table says. */
  async function probe(feature: FeatureName, { body, betas, named, verify }: Probe): Promise<void> {
    const { support } = table[feature];
    const cell = { name: `feature ${feature}`, kind, format: "anthropic" } as const;
    const ask = async (): Promise<void> => {
      const headers = betas === undefined ? {} : { "anthropic-beta": betas };
      const request = { model: modelAt(kind), max_tokens: 2_000, messages: HELLO, ...body };
      const answered = anthropic(stack).post<Anthropic.Message>("/v1/messages", { body: request, headers });
      if (support === "refused") {
        const error = await answered.then(
          () => null,
          (thrown: unknown) => thrown,
        );
        expect(error).toBeInstanceOf(BadRequestError);
        expect(String(error)).toMatch(named);
        return;
      }
      const answer = await answered;
      if (support === "warning") expect(stack.warnings).toMatch(named);
      else expect(stack.warnings).not.toMatch(named);
      if (support === "yes") verify(answer, stack.sentBody(kind));
    };
    await stack.run(cell, ask, { charges: support === "refused" ? 0 : 1 });
  }

  it("thinks as much as asked", async () => {
    await probe("thinking", {
      body: { thinking: { type: "adaptive" }, output_config: { effort: "low" }, max_tokens: 4_000 },
      named: /thinking|output_config/,
      verify: (answer, sent) => {
        const effort = { anthropic: "effort", bedrock: "effort", vertex: "effort", "openai-chat": "reasoning_effort" };
        expect(holds(sent, { [format === "openai-responses" ? "effort" : effort[format]]: "low" })).toBe(true);
        // Chat Completions of OpenAI's own models hide what was thought.
        if (format !== "openai-chat") expect(answer.content[0]).toMatchObject({ type: "thinking" });
      },
    });
  });

  it("gets the signed thinking of earlier turns back", async () => {
    const request = { model: modelAt(kind), max_tokens: 4_000, messages: HELLO };
    const thinks = { thinking: { type: "enabled", budget_tokens: 1_024 } };
    let turn: unknown[] = [{ type: "thinking", thinking: "Hm.", signature: signThinking("Hm.") }];
    if (format === "openai-responses") {
      const first = await anthropic(stack).post<Anthropic.Message>("/v1/messages", { body: { ...request, ...thinks } });
      turn = first.content.filter(({ type }) => type === "thinking");
    }
    await probe("thinking_signatures", {
      body: { ...request, ...thinks, ...afterTurn(...turn, { type: "text", text: "Hello." }) },
      named: /messages\[1\]/,
      verify: (_, sent) => {
        if (format === "openai-responses") expect(JSON.stringify(sent)).toContain('"encrypted_content":"');
        else expect(holds(sent, { signature: signThinking("Hm.") })).toBe(true);
      },
    });
  });

  it("gets redacted thinking back", async () => {
    const data = "c2VhbGVk";
    await probe("redacted_thinking", {
      body: afterTurn({ type: "redacted_thinking", data }, { type: "text", text: "Hello." }),
      named: /messages\[1\]/,
      verify: (_, sent) => expect(holds(sent, { type: "redacted_thinking", data })).toBe(true),
    });
  });

  it("calls the one tool that is chosen", async () => {
    await probe("tool_choice", {
      body: { tools: [BASH], tool_choice: { type: "tool", name: "Bash" } },
      named: /tool_choice/,
      verify: ({ content }) => expect(content.find(({ type }) => type === "tool_use")).toMatchObject({ name: "Bash" }),
    });
  });

  it("caches a marked prefix for five minutes", async () => {
    await probe("cache_control_5m", {
      body: { system: [{ type: "text", text: `Five. ${LONG_TEXT}`, cache_control: { type: "ephemeral" } }] },
      named: /cache_control/,
      verify: ({ usage }) => expect(usage.cache_creation?.ephemeral_5m_input_tokens).toBeGreaterThan(1_000),
    });
  });

  it("caches a marked prefix for an hour", async () => {
    await probe("cache_control_1h", {
      body: { system: [{ type: "text", text: `Hour. ${LONG_TEXT}`, cache_control: { type: "ephemeral", ttl: "1h" } }] },
      named: /cache_control/,
      verify: ({ usage }) => expect(usage.cache_creation?.ephemeral_1h_input_tokens).toBeGreaterThan(1_000),
    });
  });

  it("tells what was written to a cache, and for how long", async () => {
    const system = [
      { type: "text", text: `Both. ${LONG_TEXT}`, cache_control: { type: "ephemeral", ttl: "1h" } },
      { type: "text", text: LONG_TEXT, cache_control: { type: "ephemeral" } },
    ];
    await probe("usage_cache_split", {
      // Responses has no marks, and tells of what it caches by itself.
      body: format === "openai-responses" ? {} : { system },
      named: /cache_control/,
      verify: ({ usage }) => {
        if (!isClaude) expect(usage.cache_read_input_tokens).toBeGreaterThanOrEqual(0);
        else {
          const { ephemeral_1h_input_tokens: hour = 0, ephemeral_5m_input_tokens: short = 0 } =
            usage.cache_creation ?? {};
          expect(Math.min(hour, short)).toBeGreaterThan(1_000);
          expect(hour + short).toBe(usage.cache_creation_input_tokens);
        }
      },
    });
  });

  it("sees pictures", async () => {
    await probe("images_base64", {
      body: user(
        { type: "text", text: "What is this?" },
        image({ type: "base64", media_type: "image/png", data: PNG }),
      ),
      named: /image/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain(PNG),
    });
  });

  it("sees pictures by their address", async () => {
    const url = "https://pictures.example/cat.png";
    await probe("images_url", {
      body: user({ type: "text", text: "What is this?" }, image({ type: "url", url })),
      named: /image/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain(url),
    });
  });

  it("reads PDF documents", async () => {
    const source = { type: "base64", media_type: "application/pdf", data: PDF };
    await probe("documents_pdf", {
      body: user({ type: "document", title: "a.pdf", source }, { type: "text", text: "Sum it up." }),
      named: /document|source/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain(PDF),
    });
  });

  it("reads documents of text", async () => {
    const source = { type: "text", media_type: "text/plain", data: "The grass is green." };
    await probe("documents_text", {
      body: user({ type: "document", source }, { type: "text", text: "What is green?" }),
      named: /document|source/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain("The grass is green."),
    });
  });

  it("cites", async () => {
    const source = { type: "text", media_type: "text/plain", data: "The grass is green." };
    const document = { type: "document", source, citations: { enabled: true } };
    const search = { type: "web_search_20250305", name: "web_search" };
    // Models other than Claude cite what a search found, where they do at all.
    const searches = format === "openai-responses";
    await probe("citations", {
      body: searches
        ? { tools: [search], ...user({ type: "text", text: "Search the web for news of grass." }) }
        : user(document, { type: "text", text: "What is green?" }),
      named: /citations/,
      verify: (_, sent) => {
        if (!searches) expect(holds(sent, { citations: { enabled: true } })).toBe(true);
        // The stand-in of OpenAI searches nothing; what its citations become is shown with the codec.
        else expect(sent["include"]).toEqual(["web_search_call.action.sources"]);
      },
    });
  });

  it("searches the web", async () => {
    await probe("server_tools_web_search", {
      body: {
        tools: [{ type: "web_search_20250305", name: "web_search", max_uses: 2 }],
        ...user({ type: "text", text: "Search the web for news of grass." }),
      },
      named: /web_search/,
      verify: ({ content }, sent) => {
        if (!isClaude) expect(holds(sent, { type: "web_search" })).toBe(true);
        else {
          expect(content).toContainEqual(expect.objectContaining({ type: "server_tool_use", name: "web_search" }));
          expect(content).toContainEqual(expect.objectContaining({ type: "web_search_tool_result" }));
        }
      },
    });
  });

  it("runs code", async () => {
    const tool = { type: "code_execution_20250825", name: "code_execution" };
    await probe("server_tools_code_execution", {
      body: { tools: [tool] },
      betas: "code-execution-2025-08-25",
      named: /code_execution/,
      verify: (_, sent) => expect(holds(sent, tool)).toBe(true),
    });
  });

  it("connects to MCP servers", async () => {
    await probe("mcp_servers", {
      body: {
        mcp_servers: [{ type: "url", name: "wiki", url: "https://wiki.example/mcp" }],
        tools: [{ type: "mcp_toolset", mcp_server_name: "wiki" }],
      },
      betas: "mcp-client-2025-11-20",
      named: /mcp/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain("https://wiki.example/mcp"),
    });
  });

  it("stops where it is told to", async () => {
    await probe("stop_sequences", {
      body: { stop_sequences: ["zebra crossing"] },
      named: /stop_sequences/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain('["zebra crossing"]'),
    });
  });

  it("says why it stopped", async () => {
    await probe("stop_reasons", {
      body: { max_tokens: 20, messages: [{ role: "user", content: LONG_STORY }] },
      named: /max_tokens|stop/,
      verify: ({ stop_reason, stop_sequence }) => expect([stop_reason, stop_sequence]).toEqual(["max_tokens", null]),
    });
  });

  it("answers in the form of a schema", async () => {
    await probe("structured_outputs", {
      body: { output_config: { format: { type: "json_schema", schema: CITY_SCHEMA } } },
      named: /output_config|format/,
      verify: ({ content }) => {
        const text = content.find((block) => block.type === "text")?.text ?? "";
        expect(JSON.parse(text)).toEqual({ city: expect.any(String) });
      },
    });
  });

  it("manages the context", async () => {
    const context_management = { edits: [{ type: "clear_tool_uses_20250919" }] };
    await probe("context_management", {
      body: { context_management },
      betas: "context-management-2025-06-27",
      named: /context_management/,
      verify: (_, sent) => expect(sent["context_management"]).toEqual(context_management),
    });
  });

  it("is fast", async () => {
    await probe("fast_mode", {
      body: { speed: "fast" },
      betas: "fast-mode-2026-02-01",
      named: /speed|fast-mode/,
      verify: (_, sent) => {
        expect(holds(sent, format === "openai-responses" ? { service_tier: "priority" } : { speed: "fast" })).toBe(
          true,
        );
      },
    });
  });

  it("answers at the tier that is asked for", async () => {
    await probe("service_tier", {
      body: { service_tier: "auto" },
      named: /service_tier/,
      verify: (_, sent) => expect(sent["service_tier"]).toBe("auto"),
    });
  });

  it("runs where it is told to", async () => {
    await probe("inference_geo", {
      body: { inference_geo: "us" },
      named: /inference_geo/,
      verify: (_, sent) => expect(sent["inference_geo"]).toBe("us"),
    });
  });

  it("is told who the end user is", async () => {
    await probe("metadata_user_id", {
      body: { metadata: { user_id: USER_ID } },
      named: /metadata/,
      verify: (_, sent) => expect(JSON.stringify(sent)).toContain(USER_ID),
    });
  });
});

it("the ledger holds one entry for each exchange, with what the cloud billed", async () => stack.checkLedger());

function image(source: Body): Body {
  return { type: "image", source };
}
