/** Promise 9: losing PostgreSQL is bounded. Traffic goes on from memory and journal; nothing is lost, nothing comes twice. */
import { setTimeout as sleep } from "node:timers/promises";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { ask, jsonOf } from "../harness/http-answer.ts";
import { Load } from "../harness/load.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

/** The promise speaks of 60 s; `WEIR_FREEZE_MS=60000` makes it so. */
const FREEZE_MS = Number(process.env["WEIR_FREEZE_MS"] ?? 2_500);
const PATIENCE_MS = FREEZE_MS + 60_000;

let upstream: FakeUpstream;
beforeEach(async () => {
  upstream = (await FakeUpstream.start()).forgetRequests();
});
afterEach(async () => upstream.stop());

/** Every released response has one row, no row has a twin, within reasonable time. */
async function expectAllShipped(weir: WeirProcess, load: Load): Promise<void> {
  const rows = await weir.entries((entries) => entries.length >= load.released.size);
  const ids = rows.map((row) => row.exchangeId);
  expect(new Set(ids).size).toBe(ids.length);
  const known = new Set(ids);
  expect([...load.released.keys()].filter((id) => !known.has(id))).toEqual([]);
}

describe("while PostgreSQL is frozen", () => {
  it(
    "requests are served, Weir stays ready, and all rows arrive once it goes on",
    async () => {
      const weir = await WeirProcess.start({ upstreamUrl: upstream.url });
      const load = Load.start(weir, { lanes: 8 });
      try {
        await load.more(100);
        const thaw = await weir.database.freeze();
        const before = load.released.size;
        try {
          await sleep(FREEZE_MS);
          await load.more(100);
          expect((await ask(`${weir.url}/readyz`)).status).toBe(200);
          expect((await ask(`${weir.adminUrl}/status`)).status).toBe(200);
        } finally {
          thaw();
        }
        const during = load.released.size - before;
        await load.more(100);
        await load.stop();
        expect([...load.refusals]).toEqual([]);
        expect(load.broken).toBe(0);
        await expectAllShipped(weir, load);
        noteFigure(9, "frozen", { frozen_ms: FREEZE_MS, served_meanwhile: during, lost: 0, duplicates: 0 });
      } finally {
        await load.stop();
        await weir.dispose();
      }
    },
    PATIENCE_MS,
  );

  it("and the journal has grown to its limit, new requests get 503 with retry-after, until there is room again", async () => {
    const journal = { segment_bytes: 65_536, max_backlog_bytes: 131_072, reserve_bytes: 65_536 };
    const weir = await WeirProcess.start({ upstreamUrl: upstream.url, config: { journal } });
    const load = Load.start(weir, { lanes: 8 });
    try {
      const thaw = await weir.database.freeze();
      try {
        await eventually("a request is refused", () => load.refusals.has(503));
        const answer = await ask(`${weir.url}/v1/messages`, {
          headers: messageHeaders(weir.key),
          body: messageBody(),
        });
        expect(answer.status).toBe(503);
        expect(answer.headers["retry-after"]).toMatch(/^\d+$/);
        expect(jsonOf(answer)).toMatchObject({ type: "error", error: { type: "api_error" } });
        expect((await ask(`${weir.url}/readyz`)).status).toBe(503);
      } finally {
        thaw();
      }
      await load.more(100);
      await load.stop();
      expect([...load.refusals.keys()]).toEqual([503]);
      expect(load.broken).toBe(0);
      await expectAllShipped(weir, load);
      noteFigure(9, "journal full", { refused_with_503: load.refusals.get(503) ?? 0, lost: 0 });
    } finally {
      await load.stop();
      await weir.dispose();
    }
  });
});
