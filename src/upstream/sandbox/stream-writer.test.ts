import { createServer, get, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import { describe, expect, it, onTestFinished } from "vitest";

import { ManualClock } from "../../core/clock.ts";
import type { Fault } from "./fault.ts";
import type { Frame } from "./stream-frames.ts";
import { StreamWriter, type Pace, type StreamEnd } from "./stream-writer.ts";
import { until } from "./testing/test-sandbox.ts";

const AT_ONCE: Pace = { tokensPerSecond: null, delayMs: null };

interface Setting {
  readonly frames: Iterator<Frame, void, undefined>;
  readonly pace?: Pace;
  readonly fault?: Fault;
  readonly pingIntervalMs?: number;
}

/** A stream under way: its reader's side, and how it ended. */
interface Running {
  readonly reader: IncomingMessage;
  readonly ended: Promise<StreamEnd>;
}

/** Serves one stream on a real socket and gives its two ends. */
async function run(setting: Setting): Promise<Running> {
  const ended = Promise.withResolvers<StreamEnd>();
  const server = createServer((_, response: ServerResponse) => {
    const writer = new StreamWriter(response, {
      pace: AT_ONCE,
      fault: null,
      pingIntervalMs: 60_000,
      errorText: "event: error\n\n",
      clock: new ManualClock(0),
      onEvents: () => {},
      ...setting,
    });
    ended.resolve(writer.run());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.close();
    server.closeAllConnections();
  });
  // A server that listens on TCP has an address of this type.
  const { port } = server.address() as AddressInfo;
  const reader = await new Promise<IncomingMessage>((resolve, reject) => {
    get({ port, host: "127.0.0.1" }, resolve).on("error", reject);
  });
  return { reader, ended: ended.promise };
}

async function readAll(reader: IncomingMessage): Promise<string> {
  let text = "";
  for await (const chunk of reader) text += String(chunk);
  return text;
}

function* numbered(count: number, size = 1): Generator<Frame, void, undefined> {
  for (let index = 0; index < count; index++)
    yield { text: `${index}`.padEnd(size, ".") + ";", tokens: 1, isDelta: true };
}

describe("StreamWriter", () => {
  it("writes all frames in order", async () => {
    const { reader, ended } = await run({ frames: numbered(5) });
    expect(await readAll(reader)).toBe("0;1;2;3;4;");
    expect(await ended).toBe("complete");
  });

  it("writes all frames when they are paced, also while the clock stands still", async () => {
    const { reader, ended } = await run({ frames: numbered(5), pace: { tokensPerSecond: 500, delayMs: null } });
    expect(await readAll(reader)).toBe("0;1;2;3;4;");
    expect(await ended).toBe("complete");
  });

  it("takes a frame only when it is due", async () => {
    let taken = 0;
    function* counted(): Generator<Frame, void, undefined> {
      for (const frame of numbered(3)) {
        taken += 1;
        yield frame;
      }
    }
    const { reader } = await run({ frames: counted(), pace: { tokensPerSecond: null, delayMs: 3_600_000 } });
    const first = await new Promise<string>((resolve) => reader.once("data", (chunk) => resolve(String(chunk))));
    // The first is sent, the second is waiting for its hour, the third has not been made.
    expect([first, taken]).toEqual(["0;", 2]);
    reader.destroy();
  });

  it("sends pings while a frame is long in coming", async () => {
    const { reader } = await run({
      frames: numbered(2),
      pace: { tokensPerSecond: null, delayMs: 40 },
      pingIntervalMs: 15,
    });
    expect(await readAll(reader)).toMatch(/^0;(event: ping\ndata: \{"type": "ping"\}\n\n)+1;$/);
  });

  it("stops generating when the client goes away", async () => {
    let wasClosed = false;
    function* endless(): Generator<Frame, void, undefined> {
      try {
        for (;;) yield* numbered(1);
      } finally {
        wasClosed = true;
      }
    }
    const { reader, ended } = await run({ frames: endless(), pace: { tokensPerSecond: 1_000, delayMs: null } });
    reader.once("data", () => reader.destroy());
    expect(await ended).toBe("abandoned");
    expect(wasClosed).toBe(true);
  });

  it("generates no further than a reader that does not read has room for, and goes on when it reads", async () => {
    const frames = 4_000;
    let taken = 0;
    function* large(): Generator<Frame, void, undefined> {
      for (const frame of numbered(frames, 10_000)) {
        taken += 1;
        yield frame;
      }
    }
    const { reader, ended } = await run({ frames: large() });
    let before = -1;
    // Without back-pressure all frames would be taken; with it the count comes to a halt below that.
    await until(() => {
      const halted = taken === before && taken > 0;
      before = taken;
      return halted;
    });
    expect(taken).toBeLessThan(frames);
    expect((await readAll(reader)).length).toBe(frames * 10_001);
    expect(await ended).toBe("complete");
  });

  it.each([0, 1, 3])("cuts the connection after %i events, which all arrive", async (afterEvents) => {
    const { reader, ended } = await run({ frames: numbered(5), fault: { kind: "cut", afterEvents, how: "destroy" } });
    let text = "";
    reader.on("data", (chunk) => (text += String(chunk)));
    const error = await new Promise<Error>((resolve) => reader.once("error", resolve));
    expect(error).toMatchObject({ code: "ECONNRESET" });
    expect(text).toBe(["0;", "1;", "2;"].slice(0, afterEvents).join(""));
    expect(await ended).toBe("cut");
  });

  it("ends cleanly too early, or with an error event", async () => {
    const clean = await run({ frames: numbered(5), fault: { kind: "cut", afterEvents: 2, how: "end" } });
    expect(await readAll(clean.reader)).toBe("0;1;");
    const failed = await run({ frames: numbered(5), fault: { kind: "cut", afterEvents: 2, how: "error" } });
    expect(await readAll(failed.reader)).toBe("0;1;event: error\n\n");
  });

  it("falls silent, without pings, until the client leaves", async () => {
    const { reader, ended } = await run({
      frames: numbered(5),
      fault: { kind: "silence", afterEvents: 2 },
      pingIntervalMs: 1,
    });
    let text = "";
    reader.on("data", (chunk) => (text += String(chunk)));
    await until(() => text === "0;1;");
    // Long enough for a ping, were there one; the assertion below holds on a slow machine as well.
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(text).toBe("0;1;");
    reader.destroy();
    expect(await ended).toBe("abandoned");
  });

  it("stays silent also when the socket gets room again", async () => {
    const { reader } = await run({ frames: numbered(3, 4_000_000), fault: { kind: "silence", afterEvents: 1 } });
    let length = 0;
    reader.on("data", (chunk: Buffer) => (length += chunk.length));
    await until(() => length === 4_000_001);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(length).toBe(4_000_001);
    reader.destroy();
  });

  it("goes on after a silence of limited length", async () => {
    const { reader, ended } = await run({
      frames: numbered(3),
      fault: { kind: "silence", afterEvents: 1, durationMs: 10 },
    });
    expect(await readAll(reader)).toBe("0;1;2;");
    expect(await ended).toBe("complete");
  });

  it("completes a stream that ends before the fault", async () => {
    const { reader, ended } = await run({ frames: numbered(2), fault: { kind: "cut", afterEvents: 9, how: "end" } });
    expect(await readAll(reader)).toBe("0;1;");
    expect(await ended).toBe("complete");
  });
});
