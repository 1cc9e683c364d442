import { describe, expect, it } from "vitest";

import { startObjectsGateway, type ObjectsGateway, type Person } from "./testing/objects-gateway.ts";

const EVERY_WAY_TO_A_BATCH = [
  ["GET", ""],
  ["DELETE", ""],
  ["POST", "/cancel"],
  ["GET", "/results"],
] as const;
const EVERY_WAY_TO_A_FILE = [
  ["GET", ""],
  ["DELETE", ""],
  ["GET", "/content"],
] as const;

/** Who sees what a person made. */
const SEEN_BY: Readonly<Record<Person, readonly Person[]>> = {
  ada: ["ada", "ada's other key"],
  "ada's other key": ["ada", "ada's other key"],
  bob: ["bob"],
  service: ["service"],
  "other service": ["other service"],
  eve: ["eve"],
};
const PEOPLE = Object.keys(SEEN_BY) as Person[]; // the keys of a record of persons

async function listed({ call }: ObjectsGateway, person: Person, path: string): Promise<string[]> {
  const page = (await (await call(person, "GET", path)).json()) as { data: { id: string }[] };
  return page.data.map(({ id }) => id);
}

describe("batches and files", () => {
  it.each(PEOPLE)("of %s are seen by nobody but their owner, whatever they ask for", async (maker) => {
    const objects = await startObjectsGateway();
    const { call, upstream, makeBatch, makeFile } = objects;
    const batch = await makeBatch(maker);
    const file = await makeFile(maker);
    const before = upstream.requests.length;
    const strangers = PEOPLE.filter((person) => !SEEN_BY[maker].includes(person));
    for (const stranger of strangers) {
      const ways = [
        ...EVERY_WAY_TO_A_BATCH.map(([method, below]) => [method, `/v1/messages/batches/${batch}${below}`] as const),
        ...EVERY_WAY_TO_A_FILE.map(([method, below]) => [method, `/v1/files/${file}${below}`] as const),
      ];
      for (const [method, path] of ways) {
        const answer = await call(stranger, method, path);
        expect([stranger, method, path, answer.status]).toEqual([stranger, method, path, 404]);
        expect(await answer.json()).toMatchObject({ type: "error", error: { type: "not_found_error" } });
      }
      expect(await listed(objects, stranger, "/v1/messages/batches")).toEqual([]);
      expect(await listed(objects, stranger, "/v1/files")).toEqual([]);
      expect(await listed(objects, stranger, `/v1/files?ids[]=${file}`)).toEqual([]);
    }
    expect(upstream.requests).toHaveLength(before);
    for (const owner of SEEN_BY[maker]) {
      expect((await call(owner, "GET", `/v1/messages/batches/${batch}`)).status).toBe(200);
      expect(await listed(objects, owner, "/v1/messages/batches")).toEqual([batch]);
      expect(await listed(objects, owner, "/v1/files")).toEqual([file]);
      expect(await listed(objects, owner, `/v1/files?ids[]=${file}`)).toEqual([file]);
    }
  });

  it("of another are answered for exactly as those that never were", async () => {
    const { call, makeBatch, makeFile } = await startObjectsGateway();
    const answers = async (path: string, id: string): Promise<unknown> => {
      const answer = await call("eve", "GET", path);
      const { request_id: _, ...body } = JSON.parse((await answer.text()).replaceAll(id, "ID")) as Record<
        string,
        unknown
      >;
      const headers = [...answer.headers].filter(([name]) => !["date", "request-id", "content-length"].includes(name));
      return { status: answer.status, body, headers };
    };
    const batch = await makeBatch("ada");
    const file = await makeFile("ada");
    expect(await answers(`/v1/messages/batches/${batch}`, batch)).toEqual(
      await answers("/v1/messages/batches/msgbatch_none", "msgbatch_none"),
    );
    expect(await answers(`/v1/files/${file}`, file)).toEqual(await answers("/v1/files/file_none", "file_none"));
  });

  it("that exist upstream but were never made through Weir are nobody's", async () => {
    const { call, upstream, makeFile } = await startObjectsGateway();
    await makeFile("ada");
    upstream.files.set("file_from_elsewhere", { id: "file_from_elsewhere" });
    expect((await call("ada", "GET", "/v1/files/file_from_elsewhere")).status).toBe(404);
    expect((await call("ada", "DELETE", "/v1/files/file_from_elsewhere")).status).toBe(404);
    expect(upstream.files.has("file_from_elsewhere")).toBe(true);
  });

  it("are gone for their owner once deleted, upstream and in the records", async () => {
    const { call, upstream, store, makeFile } = await startObjectsGateway();
    const file = await makeFile("ada");
    const answer = await call("ada", "DELETE", `/v1/files/${file}`);
    expect(await answer.json()).toEqual({ id: file, type: "file_deleted" });
    expect(upstream.files.size).toBe(0);
    expect(await store.get("file", file)).toBeNull();
    expect((await call("ada", "GET", `/v1/files/${file}`)).status).toBe(404);
  });

  it("need a key, and stop being served when it is revoked", async () => {
    const { gateway, call, makeFile } = await startObjectsGateway();
    const file = await makeFile("bob");
    expect((await fetch(`${gateway.url}/v1/files/${file}`)).status).toBe(401);
    const records = [...gateway.services.keys.identities].map(({ key }) => key);
    gateway.setDirectory({
      keys: records.map((key) => (key.id === "key_bob" ? { ...key, revokedAtMs: 1 } : key)),
    });
    expect((await call("bob", "GET", `/v1/files/${file}`)).status).toBe(401);
  });

  it("cannot be asked for when nobody knows whose they are", async () => {
    const { call, store, upstream, makeFile } = await startObjectsGateway();
    const file = await makeFile("ada");
    const before = upstream.requests.length;
    store.get = () => Promise.reject(new Error("the database is away"));
    for (const [method, path] of [
      ["GET", `/v1/files/${file}`],
      ["POST", "/v1/files"],
    ] as const) {
      const answer = await call("ada", method, path, method === "POST" ? { body: "text" } : {});
      expect(answer.status).toBe(503);
      expect(await answer.text()).not.toContain("database");
    }
    expect(upstream.requests).toHaveLength(before);
  });
});
