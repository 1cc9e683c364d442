import { toFile } from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import { MODEL, startSandbox } from "./testing/test-sandbox.ts";

const notes = (name = "notes.txt"): ReturnType<typeof toFile> =>
  toFile(Buffer.from("line one\nline two\n"), name, { type: "text/plain" });

describe("files", () => {
  it("are uploaded, described, read back and deleted", async () => {
    const { client } = await startSandbox();
    const file = await client.files.upload({ file: await notes() });
    expect(file).toMatchObject({
      type: "file",
      filename: "notes.txt",
      mime_type: "text/plain",
      size_bytes: 18,
      expires_at: null,
    });
    expect(await client.files.retrieveMetadata(file.id)).toEqual(file);
    expect(await (await client.files.download(file.id)).text()).toBe("line one\nline two\n");
    expect(await client.files.delete(file.id)).toEqual({ id: file.id, type: "file_deleted" });
    await expect(client.files.retrieveMetadata(file.id)).rejects.toMatchObject({ status: 404 });
  });

  it("are listed newest first, page by page, or by their ids", async () => {
    const { client } = await startSandbox();
    const ids: string[] = [];
    for (const name of ["a.txt", "b.txt", "c.txt"])
      ids.unshift((await client.files.upload({ file: await notes(name) })).id);
    const listed: string[] = [];
    for await (const file of client.files.list({ limit: 2 })) listed.push(file.id);
    expect(listed).toEqual(ids);
    const chosen = await client.files.list({ ids: [ids[2]!] });
    expect(chosen.data.map((file) => file.id)).toEqual([ids[2]]);
  });

  it("can be referred to in a message, and only while they exist", async () => {
    const { client } = await startSandbox();
    const { id } = await client.files.upload({ file: await notes() });
    const refer = (fileId: string): ReturnType<typeof client.messages.create> =>
      client.messages.create({
        model: MODEL,
        max_tokens: 200,
        messages: [
          {
            role: "user",
            content: [
              { type: "document", source: { type: "file", file_id: fileId } },
              { type: "text", text: "What is in it?" },
            ],
          },
        ],
      });
    await expect(refer(id)).resolves.toMatchObject({ type: "message" });
    await expect(refer("file_nonesuch")).rejects.toMatchObject({
      status: 404,
      error: { error: { message: "File not found: file_nonesuch" } },
    });
  });

  it("expire", async () => {
    const clock = new ManualClock(1_800_000_000_000);
    const { client } = await startSandbox({ clock });
    const file = await client.files.upload({ file: await notes(), expires_in_seconds: 3_600 });
    expect(file.expires_at).toBe(new Date(clock.nowMs() + 3_600_000).toISOString());
    clock.advance(3_600_000);
    await expect(client.files.download(file.id)).rejects.toMatchObject({ status: 404 });
    await expect(client.files.upload({ file: await notes(), expires_in_seconds: 5 })).rejects.toMatchObject({
      status: 400,
    });
  });

  it("are refused without a file part or a multipart body", async () => {
    const { sandbox } = await startSandbox();
    const headers = { "x-api-key": "k", "anthropic-version": "2023-06-01" };
    const post = async (body: FormData | string): Promise<unknown> =>
      (await fetch(`${sandbox.url}/v1/files`, { method: "POST", body, headers })).json();
    const empty = new FormData();
    empty.set("other", "x");
    expect(await post(empty)).toMatchObject({ error: { message: "file: Field required" } });
    expect(await post("plain")).toMatchObject({ error: { message: "content-type: multipart/form-data is required" } });
  });

  it("are kept up to a quota", async () => {
    const { client } = await startSandbox();
    const large = Buffer.alloc(32 * 1024 * 1024);
    const upload = async (): Promise<unknown> => client.files.upload({ file: await toFile(large, "large.bin") });
    for (const _ of [1, 2, 3, 4]) await upload();
    await expect(upload()).rejects.toMatchObject({
      status: 400,
      error: { error: { details: { error_code: "storage_quota_exceeded" } } },
    });
  });
});
