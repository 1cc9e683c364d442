/** What a test can make go wrong, at every kind of cloud, streamed and not; and what the provider would bill for it. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";

import { eventually, within } from "../waiting.ts";
import { ask, LiveAnswer, type HttpAnswer } from "../http-answer.ts";
import { CLOUDS, type RunningCloud } from "./clouds.ts";
import { directRequest } from "./direct-request.ts";

const LONG = "Tell me a story. [[sandbox: events=40]]";
const SLOW = "Tell me a story. [[sandbox: events=400; delay=50]]";

describe.each(CLOUDS)("faults of the $kind stand-in", (kind) => {
  let running: RunningCloud;

  beforeAll(async () => {
    running = await kind.start();
  });
  afterEach(() => running.server.reset());
  afterAll(() => running.stop());

  const send = async (isStream: boolean, text = LONG): Promise<HttpAnswer> => {
    const { url, headers, body } = await directRequest(running, { isStream, text });
    return await ask(url, { headers, body });
  };
  const open = async (isStream: boolean, text = LONG): Promise<LiveAnswer> => {
    const { url, headers, body } = await directRequest(running, { isStream, text });
    return await LiveAnswer.open(url, { headers, body });
  };
  const outcomes = (): string[] => running.server.charges.map((charge) => charge.outcome);

  describe.each([
    ["streamed", true],
    ["whole", false],
  ])("%s", (_, isStream) => {
    it("answers whole, and bills once, when nothing is planned", async () => {
      const answer = await send(isStream);
      expect(answer).toMatchObject({ status: 200, isWhole: true });
      expect(outcomes()).toEqual(["whole"]);
      expect(running.server.charges[0]?.usage).toMatchObject({ output_tokens: expect.any(Number) });
      expect(running.server.problems).toEqual([]);
    });

    it("answers a status as often as it was told, with its headers, without a charge", async () => {
      running.server.nextFault({ kind: "status", status: 503, headers: { "retry-after": "7" } }, { times: 2 });
      for (const _ of [1, 2])
        expect(await send(isStream)).toMatchObject({ status: 503, headers: { "retry-after": "7" } });
      expect(outcomes()).toEqual([]);
      expect((await send(isStream)).status).toBe(200);
      running.server.always({ kind: "status", status: 502, body: "<html>Bad Gateway</html>" });
      expect((await send(isStream)).body.toString()).toContain("Bad Gateway");
    });

    it("sends another way, which leads nowhere by itself", async () => {
      running.server.nextFault({ kind: "redirect", location: "http://127.0.0.1:1/elsewhere" });
      expect(await send(isStream)).toMatchObject({
        status: 307,
        headers: { location: "http://127.0.0.1:1/elsewhere" },
      });
      expect(outcomes()).toEqual([]);
    });

    it("resets before any byte", async () => {
      running.server.nextFault({ kind: "reset" });
      await expect(send(isStream)).rejects.toThrow(/ECONNRESET|socket hang up/);
      expect(outcomes()).toEqual([]);
    });

    it("answers late, when a test says so", async () => {
      const gate = Promise.withResolvers<void>();
      running.server.nextFault({ kind: "late", by: gate.promise });
      const arrived = running.server.nextRequest();
      const answer = send(isStream);
      await arrived;
      expect(outcomes()).toEqual([]);
      gate.resolve();
      expect((await answer).isWhole).toBe(true);
      expect(outcomes()).toEqual(["whole"]);
    });

    it("says nothing at all until its caller leaves", async () => {
      running.server.nextFault({ kind: "silent" });
      const arrived = running.server.nextRequest();
      const { url, headers, body } = await directRequest(running, { isStream });
      const gone = new AbortController();
      const asked = fetch(url, { method: "POST", headers, body, signal: gone.signal });
      asked.catch(() => {});
      const request = await arrived;
      gone.abort();
      await within("the stand-in to see that", request.closedEarly);
      expect(outcomes()).toEqual([]);
    });

    it.each(["fin", "rst"] as const)("cuts in the middle with %s, which bills", async (how) => {
      running.server.nextFault({ kind: "cut", afterEvents: 3, how });
      const answer = await send(isStream);
      expect(answer).toMatchObject({ status: 200, isWhole: false });
      expect(answer.body.length).toBeGreaterThan(0);
      expect(outcomes()).toEqual(["broken"]);
    });

    it("ends in the middle as if that were the end", async () => {
      const whole = await send(isStream);
      running.server.nextFault({ kind: "cut", afterEvents: 3, how: "clean" });
      const answer = await send(isStream);
      expect(answer.isWhole).toBe(true);
      expect(answer.body.length).toBeLessThan(whole.body.length);
      expect(outcomes()).toEqual(["whole", "broken"]);
    });

    it("falls silent in the middle, and goes on when a test says so", async () => {
      const gate = Promise.withResolvers<void>();
      running.server.nextFault({ kind: "silence", afterEvents: 2, resumes: gate.promise });
      const answer = await open(isStream);
      await answer.byteCount(1);
      expect(outcomes()).not.toEqual(["whole"]);
      gate.resolve();
      expect(await answer.ended).toBe(true);
      expect(outcomes()).toEqual(["whole"]);
    });

    it("gives an error before the first event without a charge", async () => {
      running.server.nextFault({ kind: "error_event", afterEvents: 0, status: 529, message: "overloaded just now" });
      const answer = await send(isStream);
      expect(answer.status === 200).toBe(isStream);
      expect(answer.body.toString("utf8")).toContain("overloaded just now");
      expect(outcomes()).toEqual([]);
    });

    it("spoils what it sends", async () => {
      const whole = await send(isStream);
      running.server.nextFault({ kind: "damage", atEvent: 1 });
      const answer = await send(isStream);
      expect(answer.isWhole).toBe(true);
      expect(answer.body.equals(whole.body)).toBe(false);
      expect(outcomes()).toEqual(["whole", isStream ? "whole" : "broken"]);
    });

    it("slices every answer into single bytes without changing it", async () => {
      const text = "Hi. [[sandbox: events=4]]";
      const whole = await send(isStream, text);
      running.server.sliceBytes = 1;
      const sliced = await send(isStream, text);
      expect(sliced.isWhole).toBe(true);
      expect(shapeOf(sliced.body)).toBe(shapeOf(whole.body));
    });
  });

  it("bills a stream whose caller left, and stops generating", async () => {
    const answer = await open(true, SLOW);
    await answer.byteCount(1);
    answer.leave("reset");
    await eventually("the engine has stopped", () => running.server.openStreams === 0 && outcomes()[0] === "left");
    expect(outcomes()).toEqual(["left"]);
  });

  it("refuses connections and accepts them again on the same port", async () => {
    const { port } = running.server;
    await running.server.refuse();
    await expect(send(true)).rejects.toThrow(/ECONNREFUSED/);
    await running.server.accept();
    expect(running.server.port).toBe(port);
    expect((await send(true)).isWhole).toBe(true);
  });

  it("resets connections that are open, and takes new ones", async () => {
    const answer = await open(true, SLOW);
    await answer.byteCount(1);
    running.server.resetConnections();
    expect(await answer.ended).toBe(false);
    expect((await send(false)).status).toBe(200);
  });

  it("lets the engine's own directives through in this cloud's form", async () => {
    const refused = await send(false, "Hi. [[sandbox: status=429; retry_after=3]]");
    expect(refused).toMatchObject({ status: 429, headers: { "retry-after": "3" } });
    const cut = await send(true, "Hi. [[sandbox: events=200; cut=120; how=end]]");
    expect(cut).toMatchObject({ status: 200, isWhole: false });
    await expect(send(true, "Hi. [[sandbox: reset=1]]")).rejects.toThrow(/ECONNRESET|socket hang up/);
    expect(outcomes()).toEqual(["broken"]);
  });
});

/** Text without what differs from answer to answer: ids, times, checksums of frames; frames by their length alone. */
function shapeOf(body: Buffer): string {
  const text = body.toString("latin1");
  if (!/^\s*[{[]|^event: |^data: /.test(text)) return String(body.length);
  return text
    .replace(/"(?:id|item_id|created|created_at)":(?:"[^"]*"|\d+)/g, '""')
    .replace(/"(?:encrypted_content)":"[^"]*"/g, '""');
}
