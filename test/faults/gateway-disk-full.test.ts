/** Promise 10, the gateway's part: a full disk refuses new work, lets what runs end, and recovers by itself. */
import { execFileSync } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { describe, expect, it } from "vitest";

import { FakeUpstream } from "../harness/fake-upstream.ts";
import { noteFigure } from "../harness/figures.ts";
import { ask, jsonOf, LiveAnswer } from "../harness/http-answer.ts";
import { Load } from "../harness/load.ts";
import { eventNames } from "../harness/message-events.ts";
import { messageBody, messageHeaders } from "../harness/message-request.ts";
import { eventually } from "../harness/waiting.ts";
import { WeirProcess } from "../harness/weir-process.ts";

const STREAMS = 20;

function mount(directory: string): void {
  execFileSync("mount", ["-t", "tmpfs", "-o", "size=2m", "weir-disk-full-test", directory], { stdio: "pipe" });
}

function unmount(directory: string): void {
  execFileSync("umount", ["-l", directory], { stdio: "pipe" });
}

/** Why a small disk cannot be made here; null when it can. */
function whyNoMount(): string | null {
  const probe = mkdtempSync(join(tmpdir(), "weir-disk-probe-"));
  try {
    mount(probe);
    unmount(probe);
    return null;
  } catch (error) {
    return String(error).split("\n")[0] ?? "mount failed";
  } finally {
    rmSync(probe, { recursive: true, force: true });
  }
}

/** Writes a file until the disk has no byte left; returns the function that removes it. */
function fillDisk(directory: string): () => void {
  const file = join(directory, "ballast");
  const handle = openSync(file, "w");
  for (let size = 64 * 1024; size >= 1; size = size === 1 ? 0 : size >> 2 || 1) {
    const block = Buffer.alloc(size, 1);
    try {
      for (;;) writeSync(handle, block);
    } catch (error) {
      if (!(error instanceof Error && "code" in error && error.code === "ENOSPC")) throw error;
    }
  }
  closeSync(handle);
  return () => rmSync(file);
}

const reason = whyNoMount();
const skipped =
  reason === null
    ? ""
    : ` (skipped: ${reason}; run as root on Linux: npx vitest run test/faults/gateway-disk-full.test.ts)`;

describe.skipIf(reason !== null)(`Weir with its journal on a disk of 2 MiB that fills up${skipped}`, () => {
  it("refuses new work with 503, ends what runs with its rows, and serves again once there is room", async () => {
    const upstream = await FakeUpstream.start();
    let disk = "";
    const weir = await WeirProcess.start({
      upstreamUrl: upstream.url,
      config: { journal: { segment_bytes: 131_072, reserve_bytes: 262_144 } },
      prepare: (dataDir) => {
        disk = join(dataDir, "journal");
        mkdirSync(disk, { mode: 0o700 });
        mount(disk);
      },
    });
    try {
      const goOn = Promise.withResolvers<void>();
      upstream.otherwise({ kind: "stream", before: (index) => (index === 3 ? goOn.promise : undefined) });
      const headers = messageHeaders(weir.key);
      const running = await Promise.all(
        Array.from({ length: STREAMS }, async () => {
          const body = messageBody({ stream: true });
          const live = await LiveAnswer.open(`${weir.url}/v1/messages`, { headers, body });
          await live.events(3);
          return live;
        }),
      );
      upstream.otherwise((request) =>
        request.body.includes('"stream":true') ? { kind: "stream" } : { kind: "whole" },
      );
      const load = Load.start(weir, { lanes: 4 });
      await load.more(50);

      const empty = fillDisk(disk);
      await eventually("a request is refused", () => load.refusals.has(503));
      const refusal = await ask(`${weir.url}/v1/messages`, { headers, body: messageBody() });
      expect(refusal.status).toBe(503);
      expect(refusal.headers["retry-after"]).toMatch(/^\d+$/);
      expect(jsonOf(refusal)).toMatchObject({ type: "error", error: { type: "api_error" } });
      expect((await ask(`${weir.url}/readyz`)).status).toBe(503);
      expect((await ask(`${weir.url}/healthz`)).status).toBe(200);

      goOn.resolve();
      const whole = await Promise.all(running.map((live) => live.ended));
      expect(whole.filter((isWhole) => !isWhole).length).toBe(0);
      expect(running.map((live) => eventNames(live.bytes).at(-1))).toEqual(running.map(() => "message_stop"));

      empty();
      await eventually("it is ready again", async () => (await ask(`${weir.url}/readyz`)).status === 200);
      await load.more(50);
      await load.stop();
      expect([...load.refusals.keys()]).toEqual([503]);
      expect(load.broken).toBe(0);

      const wanted = [...load.released.keys(), ...running.map((live) => String(live.headers["request-id"]))];
      const rows = await weir.entries(wanted.length);
      const ids = rows.map((row) => row.exchangeId);
      expect(new Set(ids).size).toBe(ids.length);
      expect(wanted.filter((id) => !ids.includes(id))).toEqual([]);
      noteFigure(10, "gateway on a full disk", {
        refused_with_503: load.refusals.get(503) ?? 0,
        streams_ended_whole: STREAMS,
        acknowledged_and_readable: wanted.length,
      });
    } finally {
      await weir.end("SIGKILL");
      unmount(disk);
      await weir.dispose();
      await upstream.stop();
    }
  });
});
