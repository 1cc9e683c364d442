import { readFile } from "node:fs/promises";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";

import { expect } from "vitest";

import { cloudKind } from "../../harness/clouds/clouds.ts";
import { noteFigure, spread } from "../../harness/figures.ts";
import { ask } from "../../harness/http-answer.ts";
import { messageHeaders } from "../../harness/message-request.ts";
import { eventually } from "../../harness/waiting.ts";
import type { WeirProcess } from "../../harness/weir-process.ts";
import { MESSAGES } from "./client-format.ts";
import { FLOOD, Fountain, type FountainKind } from "./fountain.ts";
import { Fleet } from "./fleet.ts";

/** Of one flood: several times what the sockets on the way may hold. */
const FLOOD_CHARS = 32 * 1_048_576;
const MEBIBYTE = 1_048_576;
const LOOK_MS = 300;
const MODEL = "model-of-the-fountain";

interface World {
  readonly fountain: Fountain;
  readonly weir: WeirProcess;
}

/** Runs a Weir whose one upstream is a fountain. */
async function withFountain(kind: FountainKind, work: (world: World) => Promise<void>): Promise<void> {
  const fountain = new Fountain(kind, FLOOD_CHARS);
  await fountain.start();
  const fleet = await Fleet.start([cloudKind(kind)]);
  const weir = await fleet.weir({
    members: [{ name: kind, kind, proxy: null, address: fountain.url }],
    models: [{ id: MODEL, members: [kind] }],
    config: { health: { probes: { enabled: false } } },
  });
  try {
    await work({ fountain, weir });
  } finally {
    await weir.dispose();
    await fleet.stop();
    await fountain.stop();
  }
}

/** A client that asks for a flood and reads nothing of it until it is told to. */
class StoppedReader {
  readonly #response: Promise<IncomingMessage>;

  constructor(weir: WeirProcess) {
    const body = JSON.stringify(MESSAGES.body({ model: MODEL, text: FLOOD, isStream: true }));
    this.#response = new Promise((resolve, reject) => {
      const options = { method: "POST", headers: messageHeaders(weir.key), agent: false };
      httpRequest(`${weir.url}/v1/messages`, options, resolve).once("error", reject).end(body);
    });
  }

  /** Resolves when its answer has begun. */
  async begun(): Promise<void> {
    await this.#response;
  }

  /** Reads on to the end: how many bytes, and whether the last event is the last one of a stream. */
  async readOn(): Promise<{ readonly bytes: number; readonly isWhole: boolean }> {
    const response = await this.#response;
    let bytes = 0;
    let tail = Buffer.alloc(0);
    for await (const chunk of response as AsyncIterable<Buffer>) {
      // no encoding is set
      bytes += chunk.length;
      tail = Buffer.concat([tail, chunk]).subarray(-1_000);
    }
    return { bytes, isWhole: response.complete && tail.includes("event: message_stop") };
  }
}

async function residentBytes(pid: number): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, "utf8");
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1_024;
}

/** How long some ordinary requests take, one after another, milliseconds. */
async function others(weir: WeirProcess, count: number): Promise<number[]> {
  const times: number[] = [];
  for (let number = 0; number < count; number++) {
    const asking = { model: MODEL, text: "Say hello.", isStream: true };
    const startedAtMs = performance.now();
    const options = { headers: messageHeaders(weir.key), body: MESSAGES.body(asking) };
    const answer = await ask(`${weir.url}/v1/messages`, options);
    times.push(performance.now() - startedAtMs);
    expect(MESSAGES.viewStream(answer.body).end).toBe("proper");
  }
  return times;
}

/** Resolves when the upstream has written nothing for a while, with every flood waiting for its reader. */
async function standstill(fountain: Fountain, readers: number): Promise<void> {
  let before = -1;
  const isStill = async (): Promise<boolean> => {
    const { written, held } = fountain;
    const isSame = written === before && held === readers;
    before = written;
    await sleep(LOOK_MS);
    return isSame;
  };
  await eventually("the upstream is held", isStill, 60_000);
}

export interface StoppedPlan {
  readonly kind: FountainKind;
  readonly readers: number;
  /** Ordinary requests beside them. */
  readonly others: number;
}

/** Stops readers in the middle of floods; asserts that their upstream is held, and that they get the rest afterwards. */
export async function stopReaders({ kind, readers: count, others: requests }: StoppedPlan): Promise<void> {
  await withFountain(kind, async ({ fountain, weir }) => {
    // One flood that is read: the heap is as large as the work needs.
    expect((await new StoppedReader(weir).readOn()).isWhole).toBe(true);
    const alone = await others(weir, requests);
    fountain.written = 0;
    const before = await residentBytes(weir.pid);
    const readers = Array.from({ length: count }, () => new StoppedReader(weir));
    await Promise.all(readers.map((reader) => reader.begun()));
    await standstill(fountain, count);
    const sent = fountain.written;
    const grown = (await residentBytes(weir.pid)) - before;
    const beside = await others(weir, requests);
    expect(fountain.written).toBe(sent);

    const answers = await Promise.all(readers.map((reader) => reader.readOn()));
    expect(answers.filter(({ isWhole }) => !isWhole)).toEqual([]);
    const bytes = answers.reduce((sum, answer) => sum + answer.bytes, 0);
    // Were anything collected for readers that do not read, it would be all of this.
    expect(sent).toBeLessThan((bytes * 2) / 3);
    expect(grown).toBeLessThan(bytes / 2);
    noteFigure(4, `${count} stopped readers of ${kind}`, {
      mebibytes_asked_for: Math.round(bytes / MEBIBYTE),
      mebibytes_sent_by_upstream: Math.round(sent / MEBIBYTE),
      mebibytes_memory_grown: Math.round(grown / MEBIBYTE),
      others_alone_p50_ms: spread(alone).p50,
      others_alone_p99_ms: spread(alone).p99,
      others_beside_p50_ms: spread(beside).p50,
      others_beside_p99_ms: spread(beside).p99,
    });
  });
}
