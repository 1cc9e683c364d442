import type Anthropic from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import { ask, startSandbox, type TestSandbox } from "./testing/test-sandbox.ts";

type Request = Anthropic.Messages.BatchCreateParams.Request;

const requests: Request[] = [
  { custom_id: "good", params: ask("Reply with exactly: pong") },
  { custom_id: "bad", params: { ...ask("hi"), max_tokens: -1 } },
  { custom_id: "unknown", params: { ...ask("hi"), model: "claude-nonesuch" } },
];

async function ended({ client }: TestSandbox, id: string): Promise<Anthropic.Messages.MessageBatch> {
  for (;;) {
    const batch = await client.messages.batches.retrieve(id);
    if (batch.processing_status === "ended") return batch;
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe("message batches", () => {
  it("are processed in the background and give one result a request", async () => {
    const started = await startSandbox({ batchDurationMs: 20 });
    const { batches } = started.client.messages;
    const created = await batches.create({ requests });
    expect(created).toMatchObject({
      type: "message_batch",
      processing_status: "in_progress",
      request_counts: { processing: 3, succeeded: 0 },
      results_url: null,
    });
    const done = await ended(started, created.id);
    expect(done.request_counts).toEqual({ processing: 0, succeeded: 1, errored: 2, canceled: 0, expired: 0 });
    expect(done.results_url).toBe(`${started.sandbox.url}/v1/messages/batches/${created.id}/results`);
    const results = new Map<string, Anthropic.Messages.MessageBatchResult>();
    for await (const { custom_id: id, result } of await batches.results(created.id)) results.set(id, result);
    expect(results.get("good")).toMatchObject({
      type: "succeeded",
      message: { content: [{ text: "pong" }], usage: { service_tier: "batch" } },
    });
    expect(results.get("bad")).toMatchObject({ type: "errored", error: { error: { type: "invalid_request_error" } } });
    expect(results.get("unknown")).toMatchObject({ type: "errored", error: { error: { type: "not_found_error" } } });
  });

  it("can be cancelled while they run; what was not reached is cancelled", async () => {
    const started = await startSandbox({ batchDurationMs: 100 });
    const { batches } = started.client.messages;
    const many = Array.from({ length: 20 }, (_, index) => ({ custom_id: `r${index}`, params: ask("hi") }));
    const created = await batches.create({ requests: many });
    const cancelled = await batches.cancel(created.id);
    expect(cancelled.processing_status).toBe("canceling");
    expect(cancelled.cancel_initiated_at).not.toBeNull();
    const { request_counts: counts } = await ended(started, created.id);
    expect(counts.canceled).toBeGreaterThan(0);
    expect(counts.canceled + counts.succeeded).toBe(20);
    await expect(batches.cancel(created.id)).rejects.toMatchObject({ status: 400 });
  });

  it("have no results and cannot be deleted before they end", async () => {
    const started = await startSandbox({ batchDurationMs: 3_600_000 });
    const { batches } = started.client.messages;
    const { id } = await batches.create({ requests });
    await expect(batches.delete(id)).rejects.toMatchObject({ status: 400 });
    const early = await fetch(`${started.sandbox.url}/v1/messages/batches/${id}/results`, {
      headers: { "x-api-key": "k", "anthropic-version": "2023-06-01" },
    });
    expect(early.status).toBe(404);
  });

  it("are listed newest first, page by page, and gone once deleted", async () => {
    const started = await startSandbox({ batchDurationMs: 0 });
    const { batches } = started.client.messages;
    const ids: string[] = [];
    for (const _ of [1, 2, 3]) ids.unshift((await batches.create({ requests })).id);
    const listed: string[] = [];
    for await (const batch of batches.list({ limit: 2 })) listed.push(batch.id);
    expect(listed).toEqual(ids);
    await ended(started, ids[0]!);
    expect(await batches.delete(ids[0]!)).toEqual({ id: ids[0], type: "message_batch_deleted" });
    await expect(batches.retrieve(ids[0]!)).rejects.toMatchObject({ status: 404 });
  });

  it.each<[string, unknown, RegExp]>([
    ["no requests", {}, /^requests: Field required$/],
    ["an empty list", { requests: [] }, /^requests: List should have at least 1 item/],
    [
      "a bad custom_id",
      { requests: [{ custom_id: "a b", params: {} }] },
      /^requests\.0\.custom_id: String should match pattern/,
    ],
    [
      "a custom_id twice",
      {
        requests: [
          { custom_id: "a", params: {} },
          { custom_id: "a", params: {} },
        ],
      },
      /^requests\.1\.custom_id: Duplicate custom_id: a$/,
    ],
    ["no params", { requests: [{ custom_id: "a" }] }, /^requests\.0\.params: Field required$/],
  ])("refuse %s", async (_, body, message) => {
    const { sandbox } = await startSandbox();
    const answer = await fetch(`${sandbox.url}/v1/messages/batches`, {
      method: "POST",
      body: JSON.stringify(body),
      headers: { "x-api-key": "k", "anthropic-version": "2023-06-01" },
    });
    expect(answer.status).toBe(400);
    expect(await answer.json()).toMatchObject({
      error: { type: "invalid_request_error", message: expect.stringMatching(message) },
    });
  });
});
