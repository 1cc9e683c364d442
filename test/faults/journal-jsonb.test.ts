/** The journal's texts go to PostgreSQL as they are: the real server says whether jsonb takes them. */
import * as fc from "fast-check";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { startTestPostgres, type TestPostgres } from "../harness/postgres.ts";
import {
  cleanUp,
  exampleEntry,
  exampleOpen,
  hostileText,
  makeDirectory,
  settled,
  startJournal,
  stored,
} from "./journal-fixtures.ts";

let postgres: TestPostgres;
let client: Client;

beforeAll(async () => {
  postgres = await startTestPostgres();
  client = new Client(postgres.connection);
  await client.connect();
});

afterAll(async () => {
  await client.end();
  await postgres.stop();
});

afterEach(cleanUp);

describe("an entry with hostile texts", () => {
  it("is taken by PostgreSQL's jsonb as the journal wrote it, and gives the texts back", async () => {
    const texts = [...fc.sample(hostileText, 200), "\u0000", "\ud800", "\udc00\ud800", '"\\u0000', "\\", "\u2028😀"];
    const journal = await startJournal(await makeDirectory());
    await Promise.all(
      texts.map((text, n) => {
        journal.open(exampleOpen(`req_${n}`, { modelAsked: text }));
        return settled(journal, exampleEntry(`req_${n}`, { modelAsked: text, upstreamRequestId: text }));
      }),
    );
    const batch = await journal.read(journal.oldest(), 1 << 20);
    expect(batch?.entries).toHaveLength(texts.length);
    const { rows } = await client.query<{ asked: string; upstream: string; cost: string }>(
      `select e->>'modelAsked' as asked, e->>'upstreamRequestId' as upstream, e->>'costMicroUsd' as cost
       from unnest($1::text[]) with ordinality as given(text, n), lateral (select given.text::jsonb as e) as parsed
       order by n`,
      [batch?.entries.map((entry) => entry.toString())],
    );
    expect(rows).toEqual(
      texts.map((text) => ({
        asked: stored(text),
        upstream: stored(text),
        cost: String(exampleEntry("x").costMicroUsd),
      })),
    );
  });
});
