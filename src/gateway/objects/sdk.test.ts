import Anthropic, { APIError, BadRequestError, NotFoundError, toFile } from "@anthropic-ai/sdk";
import { describe, expect, it, onTestFinished } from "vitest";

import { SandboxUpstream } from "../../upstream/sandbox/sandbox-upstream.ts";
import { BatchSettler } from "./batch-settler.ts";
import { startObjectsGateway, type ObjectsGateway, type Person } from "./testing/objects-gateway.ts";

const MODEL = "claude-sonnet-5-5";

interface SdkSetup {
  readonly objects: ObjectsGateway;
  readonly clientOf: (person: Person) => Anthropic;
}

/** The real client, through Weir, to the sandbox. */
async function start(): Promise<SdkSetup> {
  const sandbox = new SandboxUpstream({ models: [{ id: MODEL, label: "Sonnet" }], batchDurationMs: 5 });
  await sandbox.start();
  onTestFinished(() => sandbox.stop());
  const objects = await startObjectsGateway({ upstreams: [{ baseUrl: sandbox.url, provider: "sandbox" }] });
  const clientOf = (person: Person): Anthropic =>
    new Anthropic({ apiKey: objects.keys[person], baseURL: `${objects.gateway.url}/some/prefix`, maxRetries: 0 });
  return { objects, clientOf };
}

const request = (customId: string, content: string): Anthropic.Messages.BatchCreateParams.Request => ({
  custom_id: customId,
  params: { model: MODEL, max_tokens: 100, messages: [{ role: "user", content }] },
});

describe("the SDK's batches", () => {
  it("are created, followed to their end, read, listed, metered and deleted", async () => {
    const { objects, clientOf } = await start();
    const { batches } = clientOf("ada").messages;
    const created = await batches.create({
      requests: [request("a", "Reply with exactly: pong"), request("b", "hello")],
    });
    for (;;) {
      if ((await batches.retrieve(created.id)).processing_status === "ended") break;
    }
    const answers = new Map<string, string>();
    let inputTokens = 0;
    // The SDK follows `results_url` with the caller's key: it must lead to Weir.
    for await (const { custom_id: id, result } of await batches.results(created.id)) {
      if (result.type !== "succeeded") throw new Error(result.type);
      inputTokens += result.message.usage.input_tokens;
      answers.set(id, result.message.content.map((block) => (block.type === "text" ? block.text : "")).join(""));
    }
    expect([...answers.keys()].sort()).toEqual(["a", "b"]);
    expect(answers.get("a")).toBe("pong");
    const others = [
      await batches.create({ requests: [request("a", "x")] }),
      await batches.create({ requests: [request("a", "y")] }),
    ];
    const listed: string[] = [];
    for await (const { id } of batches.list({ limit: 1 })) listed.push(id);
    expect(new Set(listed)).toEqual(new Set([created.id, ...others.map(({ id }) => id)]));
    expect(listed).toHaveLength(3);
    await expect(clientOf("bob").messages.batches.retrieve(created.id)).rejects.toThrow(NotFoundError);
    await new BatchSettler(objects.gateway.services, { ledger: null }).sweep();
    const rows = objects.gateway.journal.entries.filter(({ exchangeId }) => exchangeId === `bat_${created.id}`);
    expect(rows).toMatchObject([{ modelServed: MODEL, usage: { inputTokens, serviceTier: "batch" } }]);
    expect(await batches.delete(created.id)).toMatchObject({ id: created.id });
    await expect(batches.retrieve(created.id)).rejects.toThrow(NotFoundError);
  });

  it("are cancelled", async () => {
    const { clientOf } = await start();
    const { batches } = clientOf("service").messages;
    const { id } = await batches.create({ requests: [request("a", "x")] });
    const cancelled = await batches.cancel(id).catch((error: unknown) => error);
    // It may have ended before; then the sandbox's refusal arrives as it is.
    if (cancelled instanceof APIError) expect(cancelled.message).toContain("already ended");
    else expect(cancelled).toMatchObject({ id, processing_status: expect.stringMatching(/canceling|ended/) });
  });

  it("are refused as the API refuses", async () => {
    const { clientOf } = await start();
    const { batches } = clientOf("ada").messages;
    await expect(batches.create({ requests: [] })).rejects.toThrow(BadRequestError);
    await expect(
      batches.create({ requests: [{ ...request("a", "x"), params: { ...request("a", "x").params, model: "gpt-9" } }] }),
    ).rejects.toThrow(NotFoundError);
  });
});

describe.each(["files", "beta.files"] as const)("the SDK's %s", (api) => {
  it("are uploaded, described, listed, downloaded and deleted, each by its owner alone", async () => {
    const { clientOf } = await start();
    const filesOf = (person: Person): Anthropic["files"] | Anthropic["beta"]["files"] =>
      api === "files" ? clientOf(person).files : clientOf(person).beta.files;
    const files = filesOf("ada");
    const content = Buffer.from("line one\nline two\n".repeat(50_000));
    const ids: string[] = [];
    for (const name of ["a.txt", "b.txt", "c.txt"]) {
      const file = await files.upload({ file: await toFile(content, name, { type: "text/plain" }) });
      expect(file).toMatchObject({ type: "file", filename: name, size_bytes: content.length });
      ids.push(file.id);
    }
    const [first = ""] = ids;
    expect(await files.retrieveMetadata(first)).toMatchObject({ id: first, filename: "a.txt" });
    expect(Buffer.from(await (await files.download(first)).arrayBuffer())).toEqual(content);
    const listed: string[] = [];
    for await (const { id } of files.list({ limit: 2 })) listed.push(id);
    expect(listed.sort()).toEqual(ids.sort());
    const bobs = await filesOf("bob").upload({ file: await toFile(Buffer.from("x"), "bob.txt") });
    const named: string[] = [];
    for await (const { id } of files.list({ ids: [first, bobs.id] })) named.push(id);
    expect(named).toEqual([first]);
    await expect(filesOf("bob").download(first)).rejects.toThrow(NotFoundError);
    expect(await files.delete(first)).toMatchObject({ id: first });
    await expect(files.retrieveMetadata(first)).rejects.toThrow(NotFoundError);
  });
});
