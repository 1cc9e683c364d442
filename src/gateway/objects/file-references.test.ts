import { describe, expect, it } from "vitest";

import type { Identity } from "../../identity/key-ring.ts";
import { MemoryOwnedObjectStore } from "../../store/memory/memory-owned-object-store.ts";
import type { OwnedObjectStore } from "../../store/ports/owned-objects.ts";
import { checkFileOwnership } from "./file-references.ts";

const ADA = { principal: { organizationId: "org_1", keyId: "key_1", userId: "usr_1" } } as Identity; // all that is read

async function storeWith(
  files: Readonly<Record<string, { userId?: string; target?: string }>>,
): Promise<OwnedObjectStore> {
  const store = new MemoryOwnedObjectStore();
  for (const [id, { userId = "usr_1", target = "anthropic" }] of Object.entries(files)) {
    const owner = { organizationId: "org_1", keyId: "key_1", userId };
    await store.add({ id, kind: "file", ...owner, target, createdAtMs: 1, settledAtMs: null });
  }
  return store;
}

const message = (...content: readonly object[]): Buffer =>
  Buffer.from(JSON.stringify({ model: "m", messages: [{ role: "user", content }] }));
const document = (id: string): object => ({ type: "document", source: { type: "file", file_id: id } });

describe("files that a request uses", () => {
  it("may be the caller's own, and tell where the request has to go", async () => {
    const store = await storeWith({ file_1: {}, file_2: {} });
    const body = message(document("file_1"), { type: "container_upload", file_id: "file_2" });
    expect(await checkFileOwnership(body, ADA, store)).toBe("anthropic");
  });

  it.each<[string, object]>([
    ["a source", document("file_bob")],
    ["a source in a tool's result", { type: "tool_result", content: [document("file_bob")] }],
    ["a container upload", { type: "container_upload", file_id: "file_bob" }],
    ["a source that does not exist", document("file_none")],
  ])("may not be another's as %s", async (_, block) => {
    const store = await storeWith({ file_1: {}, file_bob: { userId: "usr_bob" } });
    await expect(checkFileOwnership(message(document("file_1"), block), ADA, store)).rejects.toMatchObject({
      code: "weir:access:not_owner",
      row: { status: 404, type: "not_found_error" },
    });
  });

  it("may not be hidden behind escapes", async () => {
    const store = await storeWith({});
    const plain = message(document("file_bob")).toString("utf8");
    for (const [letter, code] of Object.entries({ f: "0066", i: "0069", l: "006C", e: "0065", _: "005f", d: "0064" })) {
      const hidden = plain.replace('"file_id"', `"file_id"`.replace(letter, `\\u${code}`));
      await expect(checkFileOwnership(Buffer.from(hidden), ADA, store)).rejects.toMatchObject({ row: { status: 404 } });
    }
  });

  it("are not what a tool was called with, nor what it gave out", async () => {
    const body = message(
      { type: "tool_use", input: { source: { type: "file", file_id: "x" } } },
      { type: "code_execution_output", file_id: "file_made_by_a_tool" },
    );
    expect(await checkFileOwnership(body, ADA, await storeWith({}))).toBeNull();
  });

  it("must be at one upstream", async () => {
    const store = await storeWith({ file_1: {}, file_2: { target: "second" } });
    const body = message(document("file_1"), document("file_2"));
    await expect(checkFileOwnership(body, ADA, store)).rejects.toThrow(/one upstream; these are at anthropic, second/);
  });

  it("are found in the requests of a batch", async () => {
    const params = { model: "m", messages: [{ role: "user", content: [document("file_bob")] }] };
    const body = Buffer.from(JSON.stringify({ requests: [{ custom_id: "a", params }] }));
    await expect(checkFileOwnership(body, ADA, await storeWith({}))).rejects.toMatchObject({ row: { status: 404 } });
  });
});
