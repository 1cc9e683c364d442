import { describe, expect, it } from "vitest";

import { startObjectsGateway, type ObjectsGateway } from "./testing/objects-gateway.ts";

interface Page {
  readonly data: readonly { readonly id: string; readonly results_url?: string | null }[];
  readonly has_more: boolean;
  readonly first_id: string | null;
  readonly last_id: string | null;
  readonly next_page?: string | null;
}

async function page({ call }: ObjectsGateway, path: string): Promise<Page> {
  const answer = await call("ada", "GET", path);
  expect(answer.status).toBe(200);
  return (await answer.json()) as Page; // the shape is what the tests are about
}

/** Makes batches one by one, some of Bob's in between, and returns Ada's, newest first. */
async function makeBatches(objects: ObjectsGateway, count: number): Promise<string[]> {
  const made: string[] = [];
  for (let at = 0; at < count; at++) {
    made.unshift(await objects.makeBatch("ada"));
    if (at % 2 === 0) await objects.makeBatch("bob");
  }
  const records = await objects.store.list({
    kind: "batch",
    organizationId: "org_1",
    keyId: "",
    userId: "usr_1",
    limit: 99,
  });
  // Those of one millisecond are ordered by id.
  return records.map(({ id }) => id);
}

const idsOf = ({ data }: Page): string[] => data.map(({ id }) => id);

describe("the list of one's batches", () => {
  it("has one's own alone, page by page, with cursors that lead on", async () => {
    const objects = await startObjectsGateway();
    const ids = await makeBatches(objects, 5);
    const first = await page(objects, "/v1/messages/batches?limit=2");
    expect(first).toMatchObject({ has_more: true, first_id: ids[0], last_id: ids[1] });
    expect(idsOf(first)).toEqual(ids.slice(0, 2));
    const second = await page(objects, `/v1/messages/batches?limit=2&after_id=${ids[1]}`);
    expect(idsOf(second)).toEqual(ids.slice(2, 4));
    const last = await page(objects, `/v1/messages/batches?limit=2&after_id=${ids[3]}`);
    expect(last).toMatchObject({ has_more: false, first_id: ids[4], last_id: ids[4] });
    const back = await page(objects, `/v1/messages/batches?limit=2&before_id=${ids[3]}`);
    expect(idsOf(back)).toEqual(ids.slice(1, 3));
    expect(back.has_more).toBe(true);
    expect((await page(objects, `/v1/messages/batches?before_id=${ids[1]}`)).has_more).toBe(false);
  });

  it("shows each as it is now, with links that lead to Weir", async () => {
    const objects = await startObjectsGateway();
    const id = await objects.makeBatch("ada");
    objects.upstream.end(id, []);
    const { data } = await page(objects, "/v1/messages/batches");
    expect(data).toEqual([
      {
        ...objects.upstream.batches.get(id)?.document,
        results_url: `${objects.gateway.url}/v1/messages/batches/${id}/results`,
      },
    ]);
  });

  it("leaves out what the upstream no longer has, and fills the page all the same", async () => {
    const objects = await startObjectsGateway();
    const ids = await makeBatches(objects, 6);
    for (const at of [0, 2, 5]) objects.upstream.batches.delete(ids[at] ?? "");
    const first = await page(objects, "/v1/messages/batches?limit=2");
    expect(idsOf(first)).toEqual([ids[1], ids[3]]);
    expect(first.has_more).toBe(true);
    const last = await page(objects, `/v1/messages/batches?limit=2&after_id=${ids[3]}`);
    expect(idsOf(last)).toEqual([ids[4]]);
    expect(last.has_more).toBe(false);
  });

  it("is empty, not an error, without any batch and after a cursor that is another's", async () => {
    const objects = await startObjectsGateway();
    const empty = { data: [], has_more: false, first_id: null, last_id: null };
    expect(await page(objects, "/v1/messages/batches")).toEqual(empty);
    await objects.makeBatch("ada");
    const bobs = await objects.makeBatch("bob");
    expect(await page(objects, `/v1/messages/batches?after_id=${bobs}`)).toEqual(empty);
  });

  it("asks with the caller's headers and the rest of their query, at most eight at a time", async () => {
    const objects = await startObjectsGateway();
    for (let at = 0; at < 20; at++) await objects.makeBatch("ada");
    const { upstream } = objects;
    upstream.requests.length = 0;
    upstream.mostAtOnce = 0;
    const answer = await objects.call("ada", "GET", "/v1/messages/batches?limit=20&beta=true", {
      headers: { "anthropic-workspace-id": "wrkspc_1", "idempotency-key": "k" },
    });
    expect(((await answer.json()) as Page).data).toHaveLength(20);
    expect(upstream.requests).toHaveLength(20);
    for (const { url, headers } of upstream.requests) {
      expect(url).toMatch(/^\/v1\/messages\/batches\/msgbatch_\d+\?beta=true$/);
      expect(headers).toMatchObject({ "anthropic-workspace-id": "wrkspc_1", "x-api-key": "sk-upstream-credential" });
      expect(headers).not.toHaveProperty("idempotency-key");
    }
    expect(upstream.mostAtOnce).toBeLessThanOrEqual(8);
  });

  it.each([
    [500, 502],
    [401, 502],
    [429, 502],
  ])("is an error when the upstream answers %s for one of them", async (status, expected) => {
    const objects = await startObjectsGateway();
    await objects.makeBatch("ada");
    objects.upstream.override = (_request, response) => {
      response.writeHead(status, { "content-type": "application/json" }).end("{}");
      return true;
    };
    expect((await objects.call("ada", "GET", "/v1/messages/batches")).status).toBe(expected);
  });

  it("refuses limits that are none", async () => {
    const { call } = await startObjectsGateway();
    expect((await call("ada", "GET", "/v1/messages/batches?limit=0")).status).toBe(400);
  });
});

describe("the list of one's files", () => {
  it("pages in both forms that are in use", async () => {
    const objects = await startObjectsGateway();
    for (let at = 0; at < 3; at++) await objects.makeFile("ada");
    await objects.makeFile("bob");
    const first = await page(objects, "/v1/files?limit=2");
    expect(first.next_page).toBe(first.last_id);
    const second = await page(objects, `/v1/files?limit=2&page=${first.next_page}`);
    expect(second).toMatchObject({ has_more: false, next_page: null });
    expect(new Set([...idsOf(first), ...idsOf(second)])).toEqual(new Set(["file_1", "file_2", "file_3"]));
    expect(idsOf(await page(objects, `/v1/files?after_id=${first.last_id}`))).toEqual(idsOf(second));
  });

  it("has only those of the named ones that are the caller's and exist", async () => {
    const objects = await startObjectsGateway();
    const [mine, gone, bobs] = [
      await objects.makeFile("ada"),
      await objects.makeFile("ada"),
      await objects.makeFile("bob"),
    ];
    objects.upstream.files.delete(gone);
    const chosen = await page(
      objects,
      `/v1/files?ids[]=${bobs}&ids[]=${mine}&ids[]=${gone}&ids[]=file_none&ids[]=../x`,
    );
    expect(idsOf(chosen)).toEqual([mine]);
    expect(chosen).toMatchObject({ has_more: false, next_page: null });
  });
});
