import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { type RequestListener, createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { meaningOf } from "../answer-meaning.ts";
import type { Answer } from "../cases.ts";
import { askOnce, expectedAnswer } from "../preflight.ts";
import { requestBody } from "../request-body.ts";
import { type NativeTools, buildNativeTools } from "./build.ts";
import { type LoadPlan, describeWrongAnswers, runLoad } from "./load.ts";
import { type Upstream, startUpstream } from "./upstream.ts";

/** Building needs gcc, pinning taskset; without them the benchmark cannot run and says so. */
function missingTool(): string | null {
  if (process.platform !== "linux") return "Linux";
  for (const [tool, install] of [
    ["gcc", "gcc libc6-dev"],
    ["taskset", "util-linux"],
  ] as const) {
    try {
      execFileSync(tool, ["--version"], { stdio: "ignore" });
    } catch {
      return `${tool}: apt-get install -y ${install}`;
    }
  }
  return null;
}

const missing = missingTool();
const ANY_CPU = "0";

describe.skipIf(missing !== null)(`the native tools${missing === null ? "" : ` (needs ${missing})`}`, () => {
  let directory: string;
  let tools: NativeTools;
  let upstream: Upstream;

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), "weir-bench-test-"));
    tools = buildNativeTools(directory);
    upstream = await startUpstream(tools.upstream, ANY_CPU);
  });

  afterAll(async () => {
    await upstream.stop();
    rmSync(directory, { recursive: true });
  });

  function bodyFile(answer: Answer, bytes = 2000): string {
    const file = join(directory, `${JSON.stringify(answer).replaceAll(/\W/g, "_")}-${bytes}.json`);
    writeFileSync(file, requestBody(bytes, answer));
    return file;
  }

  async function load(answer: Answer, change: Partial<LoadPlan> = {}) {
    const file = bodyFile(answer);
    const stamped = answer.kind === "stream" && answer.paceMs > 0;
    const unpaced = bodyFile(answer.kind === "stream" ? { ...answer, paceMs: 0 } : answer);
    const expected = expectedAnswer(
      await askOnce({ port: upstream.port, path: "/v1/messages", headers: {}, bodyFile: unpaced }),
      stamped,
    );
    const plan: LoadPlan = {
      port: upstream.port,
      path: "/v1/messages",
      bodyFile: file,
      headers: {},
      connections: 4,
      expectBytes: expected.bytes,
      expectSum: expected.sum,
      traffic: { kind: "closed", seconds: 0.15 },
      ...change,
    };
    return runLoad({ binary: tools.load, cpus: ANY_CPU }, plan);
  }

  async function loadAgainst(listener: RequestListener, expect: Partial<LoadPlan> = {}) {
    const server = createServer(listener).listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("no port");
    try {
      const expected = { expectBytes: 5, expectSum: undefined, ...expect };
      return await load({ kind: "json" }, { port: address.port, ...expected });
    } finally {
      server.closeAllConnections();
      server.close();
    }
  }

  it("agree on plain answers: all right, and as many served as asked for", async () => {
    const before = (await upstream.stats()).requests;
    const result = await load({ kind: "json" });
    expect(describeWrongAnswers(result)).toBeNull();
    expect((await upstream.stats()).requests - before).toBe(result.requests + 1);
  });

  it("agree on streams, of which every sixteenth is compared byte by byte", async () => {
    const result = await load({ kind: "stream", events: 50, paceMs: 0 });
    expect(describeWrongAnswers(result)).toBeNull();
    expect(result.requests).toBeGreaterThan(16);
  });

  it("count every stamped event of a paced stream, and time each", async () => {
    const result = await load(
      { kind: "stream", events: 46, paceMs: 5 },
      { traffic: { kind: "hold", seconds: 1, staggerSeconds: 0, warmUpSeconds: 0 } },
    );
    expect(describeWrongAnswers(result)).toBeNull();
    expect(result.events).toBe(4 * 40);
    expect(result.transit.reduce((sum, [, count]) => sum + count, 0)).toBe(4 * 40);
  });

  it("send an open load on its schedule, the same each time, and time the first token of each stream", async () => {
    const open = { traffic: { kind: "open", seconds: 0.5, ratePerSecond: 100, warmUpSeconds: 0 } } as const;
    const [first, second] = [
      await load({ kind: "stream", events: 8, paceMs: 1 }, open),
      await load({ kind: "stream", events: 8, paceMs: 1 }, open),
    ];
    expect(first.requests).toBe(second.requests);
    expect(first.firstEvent.reduce((sum, [, count]) => sum + count, 0)).toBe(first.requests);
  });

  it("read a chunked request as well, and a header that a gateway may add", async () => {
    const body = new ReadableStream({
      start: (controller) => {
        for (const part of ['{"a":"bench-plan:', "sse:9:0;", " and more than enough behind it", '"}'])
          controller.enqueue(Buffer.from(part));
        controller.close();
      },
    });
    const options: RequestInit = { method: "POST", body, duplex: "half", headers: { "x-more": "1" } };
    const answer = await (await fetch(`http://127.0.0.1:${upstream.port}/v1/messages`, options)).text();
    expect(answer.match(/^event: /gm)).toHaveLength(9);
    expect(answer.endsWith('data: {"type":"message_stop"}\n\n')).toBe(true);
  });

  it("answer as Bedrock does where a signature came: the same in frames whose checksums hold", async () => {
    const file = bodyFile({ kind: "stream", events: 50, paceMs: 0 });
    const ask = (path: string) =>
      askOnce({ port: upstream.port, path, headers: { authorization: "AWS4-HMAC-SHA256 x" }, bodyFile: file });
    const messages = meaningOf("messages", true, await ask("/v1/messages"));
    expect(messages).toMatchObject({ outputTokens: 187, ended: true });
    expect(messages.text).toHaveLength(44 * 22);
    // The codec of the AWS SDK, which throws where a checksum is wrong.
    expect(meaningOf("bedrock", true, await ask("/model/m/invoke-with-response-stream"))).toEqual(messages);
  });

  it("refuse as Bedrock does where no signature came", async () => {
    const file = bodyFile({ kind: "json" });
    const unsigned = askOnce({ port: upstream.port, path: "/model/m/invoke", headers: {}, bodyFile: file });
    await expect(unsigned).rejects.toThrow(/answered 403: .*Missing Authentication Token/);
  });

  it("compare byte by byte but for the time at which an answer was made", async () => {
    let answers = 0;
    const text = (created: number, end: string): string => `data: {"created":${created},"x":1}\n\n${end}`;
    const expectSum = expectedAnswer(Buffer.from(text(1_000_000_000, "data: [DONE]\n\n")), false).sum;
    const expectBytes = text(1_000_000_000, "data: [DONE]\n\n").length;
    const right = await loadAgainst(
      (_, response) => response.end(text(1_000_000_000 + answers++, "data: [DONE]\n\n")),
      {
        expectBytes,
        expectSum,
      },
    );
    expect(describeWrongAnswers(right)).toBeNull();
    expect(right.requests).toBeGreaterThan(16);
    const wrong = await loadAgainst((_, response) => response.end(text(1_000_000_000, "data: [GONE]\n\n")), {
      expectBytes,
      expectSum,
    });
    expect(describeWrongAnswers(wrong)).toMatch(/with wrong bytes/);
  });

  it("call an answer wrong that is not 200, and quote it", async () => {
    const result = await loadAgainst((_, response) => response.writeHead(529).end("overloaded"));
    expect(result.non200).toBe(result.requests);
    expect(describeWrongAnswers(result)).toContain("status 529");
    expect(describeWrongAnswers(result)).toContain("overloaded");
  });

  it("call an answer wrong that is shorter than it should be", async () => {
    const result = await loadAgainst((_, response) => response.end("four"));
    expect(describeWrongAnswers(result)).toMatch(/of a wrong length/);
  });

  it("call an answer wrong that is as long as it should be but has other bytes", async () => {
    const result = await load({ kind: "json" }, { expectSum: "1" });
    expect(describeWrongAnswers(result)).toMatch(/with wrong bytes/);
  });

  it("call an answer wrong that is cut off", async () => {
    const result = await loadAgainst((_, response) => {
      response.writeHead(200, { "content-length": "5" });
      response.write("fou", () => response.destroy());
    });
    expect(result.requests).toBe(0);
    expect(describeWrongAnswers(result)).toMatch(/cut off/);
  });

  it("say what is missing on a wrong command line", async () => {
    await expect(load({ kind: "json" }, { port: 0 })).rejects.toThrow(/--port/);
  });
});
