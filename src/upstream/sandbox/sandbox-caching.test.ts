import type Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { ask, MODEL, startSandbox } from "./testing/test-sandbox.ts";

const MINUTE_MS = 60_000;
const manual = "A long manual about rivers. ".repeat(400);

type Ttl = "5m" | "1h";

function marked(text: string, ttl: Ttl = "5m"): Anthropic.TextBlockParam {
  return { type: "text", text, cache_control: { type: "ephemeral", ttl } };
}

/** Input tokens of an answer: uncached, read, written for five minutes, written for an hour. */
function input(message: Anthropic.Message): { uncached: number; read: number; write5m: number; write1h: number } {
  const { usage } = message;
  const created = usage.cache_creation;
  expect(usage.cache_creation_input_tokens).toBe(
    (created?.ephemeral_5m_input_tokens ?? 0) + (created?.ephemeral_1h_input_tokens ?? 0),
  );
  return {
    uncached: usage.input_tokens,
    read: usage.cache_read_input_tokens ?? 0,
    write5m: created?.ephemeral_5m_input_tokens ?? 0,
    write1h: created?.ephemeral_1h_input_tokens ?? 0,
  };
}

describe("prompt caching through the API", () => {
  it("writes once, reads within five minutes of the last use, and writes again after them", async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const { client } = await startSandbox({ clock });
    const send = async (question: string): Promise<ReturnType<typeof input>> =>
      input(await client.messages.create({ ...ask(question), system: [marked(manual)] }));
    const first = await send("What is a delta?");
    expect(first).toMatchObject({ read: 0, write1h: 0 });
    expect(first.write5m).toBeGreaterThan(2_000);
    expect(first.uncached).toBeLessThan(20);
    clock.advance(4 * MINUTE_MS);
    expect(await send("What is a ford?")).toMatchObject({ read: first.write5m, write5m: 0 });
    clock.advance(4 * MINUTE_MS);
    expect(await send("What is a weir?")).toMatchObject({ read: first.write5m, write5m: 0 });
    clock.advance(5 * MINUTE_MS);
    expect(await send("What is a lock?")).toMatchObject({ read: 0, write5m: first.write5m });
  });

  it("keeps a one-hour entry longer and bills it apart", async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const { client } = await startSandbox({ clock });
    const request = { ...ask("Well?"), system: [marked(manual, "1h")] };
    const first = input(await client.messages.create(request));
    expect(first).toMatchObject({ read: 0, write5m: 0, write1h: expect.any(Number) });
    clock.advance(59 * MINUTE_MS);
    expect(input(await client.messages.create(request))).toMatchObject({ read: first.write1h, write1h: 0 });
  });

  it("grows with a conversation as an agent drives it", async () => {
    const { client } = await startSandbox();
    const messages: Anthropic.MessageParam[] = [{ role: "user", content: [marked(manual)] }];
    const first = input(await client.messages.create({ model: MODEL, max_tokens: 100, messages }));
    const grown: Anthropic.MessageParam[] = [
      { role: "user", content: [{ type: "text", text: manual }] },
      { role: "assistant", content: "I have read it." },
      { role: "user", content: [marked("What does it say about fords?")] },
    ];
    const second = input(await client.messages.create({ model: MODEL, max_tokens: 100, messages: grown }));
    expect(second.read).toBe(first.write5m);
    expect(second.write5m).toBeGreaterThan(0);
    expect(second.uncached).toBe(0);
  });

  it("caches by itself with a top-level mark", async () => {
    const { client } = await startSandbox();
    const request = { ...ask(manual), cache_control: { type: "ephemeral" as const } };
    const first = input(await client.messages.create(request));
    expect(first.uncached).toBe(0);
    expect(input(await client.messages.create(request)).read).toBe(first.write5m);
  });

  it("does not cache less than a model's minimum", async () => {
    const { client } = await startSandbox();
    const request = { ...ask("Well?"), model: "claude-haiku-4-5", system: [marked(manual)] };
    await client.messages.create(request);
    expect(input(await client.messages.create(request))).toMatchObject({ read: 0, write5m: 0 });
  });

  it("does not cache across models", async () => {
    const { client } = await startSandbox();
    const request = { ...ask("Well?"), system: [marked(manual)] };
    await client.messages.create(request);
    expect(input(await client.messages.create({ ...request, model: "claude-opus-5-5" })).read).toBe(0);
  });

  it("writes from a stream as well", async () => {
    const { client } = await startSandbox();
    const request = { ...ask("Well?"), system: [marked(manual)] };
    const written = input(await client.messages.stream(request).finalMessage());
    expect(written.write5m).toBeGreaterThan(0);
    expect(input(await client.messages.create(request))).toMatchObject({ read: written.write5m, write5m: 0 });
  });

  it("lets a request without an answer warm the cache", async () => {
    const { client } = await startSandbox();
    const request = { ...ask("Well?"), system: [marked(manual)] };
    const warmed = input(await client.messages.create({ ...request, max_tokens: 0 }));
    const read = input(await client.messages.stream(request).finalMessage());
    expect(read).toMatchObject({ read: warmed.write5m, write5m: 0 });
  });

  it("writes nothing for a request that fails before its answer begins", async () => {
    const { client } = await startSandbox();
    const request = { ...ask("Well? [[sandbox: status=529; times=1]]"), system: [marked(manual)] };
    await expect(client.messages.create(request)).rejects.toMatchObject({ status: 529 });
    expect(input(await client.messages.create(request)).read).toBe(0);
  });
});
