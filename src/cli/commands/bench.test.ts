import { spawn, type ChildProcessByStdio } from "node:child_process";
import { once } from "node:events";
import { readFile, writeFile } from "node:fs/promises";
import path from "node:path";
import type { Readable } from "node:stream";

import { afterEach, beforeEach, describe, expect, it } from "vitest";

import { loadReportSchema, parseLoadReport } from "../../ops/load/report/load-report.ts";
import { FakeMessagesServer, type Arrived, type Behaviour } from "../../ops/load/testing/fake-messages-server.ts";
import { testReport } from "../../ops/load/testing/test-report.ts";
import { newKeySecret } from "../../identity/key-secret.ts";
import { keyFilePath, writeKeyFile } from "../keys/key-file.ts";
import { runCli } from "../run.ts";
import { CliFixture } from "../testing/cli-fixture.ts";
import { FakeTerminal } from "../testing/fake-terminal.ts";

let weir: CliFixture;
const servers: FakeMessagesServer[] = [];

beforeEach(async () => {
  weir = await CliFixture.create({ isEmpty: true });
});
afterEach(async () => {
  for (const server of servers.splice(0)) await server.stop();
  await weir[Symbol.asyncDispose]();
});

async function serve(behave?: (request: Arrived) => Behaviour): Promise<FakeMessagesServer> {
  const server = await FakeMessagesServer.start(behave);
  servers.push(server);
  return server;
}

interface Outcome {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Runs `weir bench` with these arguments in this process. */
async function bench(
  args: readonly string[],
  options: { terminal?: FakeTerminal; env?: Record<string, string> } = {},
): Promise<Outcome> {
  const terminal = options.terminal ?? new FakeTerminal();
  const code = await runCli(["bench", ...args], {
    ...weir.context(terminal),
    env: options.env ?? { HOME: weir.directory },
  });
  return { code, stdout: terminal.outText, stderr: terminal.errText };
}

const SMALL = ["--users", "2", "--requests", "5", "--warmup", "0"];

describe("weir bench", () => {
  it("prints the figures, exits 0 and writes both reports", async () => {
    const server = await serve();
    const [json, html] = [weir.file("r.json"), weir.file("r.html")];
    const { code, stdout, stderr } = await bench(["--url", server.url, ...SMALL, "--out", json, "--html", html]);
    expect(code).toBe(0);
    expect(stdout).toMatch(/10 good, 0 failed/);
    expect(stderr).toContain(`${server.url}/v1/messages (key: none)`);
    expect(parseLoadReport(await readFile(json, "utf8"), "r").totals.ok).toBe(10);
    expect(await readFile(html, "utf8")).toMatch(/^<!doctype html>/);
  });

  it("with --json puts the report on stdout and nothing else", async () => {
    const server = await serve();
    const { code, stdout } = await bench(["run", "--url", server.url, ...SMALL, "--json"]);
    expect(code).toBe(0);
    expect(loadReportSchema.parse(JSON.parse(stdout)).totals.ok).toBe(10);
    expect(stdout.trim()).not.toContain("\n");
  });

  it("given a key that was stored here and a target on this machine, sends it", async () => {
    const secret = newKeySecret("dev");
    const file = keyFilePath({ HOME: weir.directory });
    await writeKeyFile(file, secret);
    const server = await serve();
    const { stdout, stderr } = await bench(["--url", server.url, ...SMALL]);
    expect(stderr).toContain(`(key: ${file})`);
    expect(new Set(server.arrived.map(({ headers }) => headers["x-api-key"]))).toEqual(new Set([secret]));
    expect(stdout + stderr).not.toContain(secret);
  });

  it("given a key that was stored here and a target elsewhere, keeps it", async () => {
    await writeKeyFile(keyFilePath({ HOME: weir.directory }), newKeySecret("dev"));
    const url = "http://weir.invalid";
    const { code, stderr } = await bench(["--url", url, "--confirm-target", "weir.invalid", ...SMALL]);
    expect(code).toBe(3);
    expect(stderr).toContain("(key: none)");
  });

  it("sends the key of the environment without showing it, and says where it came from", async () => {
    const server = await serve();
    const { stdout, stderr } = await bench(["--url", server.url, ...SMALL], { env: { WEIR_KEY: "wr-test-canary" } });
    expect(server.arrived.every(({ headers }) => headers["x-api-key"] === "wr-test-canary")).toBe(true);
    expect(stderr).toContain("(key: WEIR_KEY)");
    expect(stdout + stderr).not.toContain("canary");
  });

  it("takes keys from a file, headers, the kind of answer and the size of bodies", async () => {
    const server = await serve();
    const keys = weir.file("keys");
    await writeFile(keys, "key-a\nkey-b\n");
    const options = [
      "--key-file",
      keys,
      "--auth",
      "bearer",
      "--header",
      "x-team: blue",
      "--header",
      "x-run: 7",
      "--no-stream",
      "--body",
      "8k",
      "--max-tokens",
      "9",
    ];
    await bench(["--url", server.url, ...SMALL, ...options]);
    expect(new Set(server.arrived.map(({ headers }) => headers.authorization))).toEqual(
      new Set(["Bearer key-a", "Bearer key-b"]),
    );
    expect(server.arrived[0]).toMatchObject({
      bytes: 8192,
      headers: { "x-team": "blue", "x-run": "7" },
      body: { stream: false, max_tokens: 9 },
    });
  });

  it("replays a trace from a file", async () => {
    const server = await serve();
    const trace = weir.file("t.csv");
    await writeFile(trace, "offset_ms,input_tokens,output_tokens\n0,1000,5\n300,2000,6\n900,100,7\n");
    const { code, stdout } = await bench([
      "--url",
      server.url,
      "--trace",
      trace,
      "--speed",
      "10",
      "--limit",
      "2",
      "--warmup",
      "0",
      "--no-preflight",
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("trace t.csv at 10× speed, about 2 requests; sizes as traced");
    expect(server.arrived.map(({ body }) => body.max_tokens)).toEqual([5, 6]);
  });

  it("draws its progress on a terminal and removes it before the result", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 30 }));
    const { stderr } = await bench(["--url", server.url, "--users", "2", "--requests", "8", "--warmup", "0"], {
      terminal: new FakeTerminal({ isTty: true, columns: 100 }),
    });
    expect(stderr).toMatch(/measuring .*█/);
    expect(stderr.endsWith("\u001B[7A\r\u001B[0J")).toBe(true);
    const quiet = await bench(["--url", server.url, ...SMALL, "--quiet"], {
      terminal: new FakeTerminal({ isTty: true, columns: 100 }),
    });
    expect(quiet.stderr).toBe("");
  });
});

describe("weir bench with a baseline", () => {
  it("exits 0 when the run is as good, 1 with a table when it is worse", async () => {
    const server = await serve();
    const before = weir.file("before.json");
    await bench(["--url", server.url, ...SMALL, "--out", before]);
    const wide = ["--p95", "100000", "--throughput", "99.9"];
    expect(await bench(["--url", server.url, ...SMALL, "--baseline", before, ...wide])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("No regression."),
    });
    const failing = await serve(({ number }) =>
      number > 2 ? { kind: "status", status: 500, type: "api_error" } : { kind: "answer" },
    );
    const worse = await bench(["--url", failing.url, ...SMALL, "--baseline", before, ...wide]);
    expect(worse.code).toBe(1);
    expect(worse.stdout).toMatch(/error rate +0 % .*REGRESSION/);
  });

  it("refuses a baseline of another plan before it sends anything", async () => {
    const server = await serve();
    const before = weir.file("before.json");
    await writeFile(before, JSON.stringify(testReport()));
    const { code, stderr } = await bench(["--url", server.url, ...SMALL, "--baseline", before]);
    expect(code).toBe(2);
    expect(stderr).toMatch(/load.users: 5 against 2[^]*--force/);
    expect(server.arrived).toHaveLength(0);
  });
});

describe("weir bench compare", () => {
  async function files(worse: Partial<ReturnType<typeof testReport>>): Promise<[string, string]> {
    const [a, b] = [weir.file("a.json"), weir.file("b.json")];
    await writeFile(a, JSON.stringify(testReport()));
    await writeFile(b, JSON.stringify(testReport(worse)));
    return [a, b];
  }

  it("exits 1 on a regression and 0 without, by the given limits", async () => {
    const [a, b] = await files({ errorRate: 0.06 });
    expect(await bench(["compare", a, b])).toMatchObject({
      code: 1,
      stdout: expect.stringMatching(/error rate +0 % +6.00 % +\+6.0 points +at most \+5 points +REGRESSION/),
    });
    expect(await bench(["compare", a, b, "--error-rate", "7"])).toMatchObject({ code: 0 });
    expect(await bench(["compare", a, a])).toMatchObject({ code: 0 });
  });

  it("prints JSON and writes a page when asked", async () => {
    const [a, b] = await files({ errorRate: 0.06 });
    const html = weir.file("c.html");
    const { code, stdout } = await bench(["compare", a, b, "--json", "--html", html]);
    expect(code).toBe(1);
    expect(JSON.parse(stdout)).toMatchObject({ regressed: true, differences: [] });
    expect(await readFile(html, "utf8")).toContain("Against the run of");
  });

  it("refuses what is no report, and runs of other plans unless forced", async () => {
    const [a, b] = await files({ plan: { ...testReport().plan, stream: false } });
    expect(await bench(["compare", a, b])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("stream: true against false"),
    });
    expect(await bench(["compare", a, b, "--force"])).toMatchObject({
      code: 0,
      stdout: expect.stringContaining("Compared although"),
    });
    expect(await bench(["compare", a, weir.file("none.json")])).toMatchObject({
      code: 2,
      stderr: expect.stringContaining("ENOENT"),
    });
    await writeFile(b, "{}");
    expect(await bench(["compare", a, b, "--json"])).toMatchObject({
      code: 2,
      stderr: "",
      stdout: expect.stringContaining('"code": "usage"'),
    });
  });
});

describe("weir bench that cannot run", () => {
  it.each([
    [["--url", "https://gateway.example.com"], 2, /--confirm-target gateway.example.com/],
    [["--url", "http://127.0.0.1:9", "--users", "0"], 2, /--users/],
    [["--no-such-option"], 2, /unknown option/],
    [["compare", "one.json"], 2, /missing required argument/],
    [["--trace", "/no/such/file.csv"], 2, /--trace: \/no\/such\/file.csv cannot be read \(ENOENT\)/],
    [["--out", "/no/such/folder/r.json"], 2, /\/no\/such\/folder\/r.json cannot be written/],
  ])("%j exits %d and says why", async (args, expected, message) => {
    const { code, stdout, stderr } = await bench(args);
    expect(code).toBe(expected);
    expect(stderr).toMatch(message);
    expect(stdout).toBe("");
  });

  it("exits 3 when nothing answers, or nothing succeeds", async () => {
    const server = await serve();
    const { url } = server;
    await server.stop();
    expect(await bench(["--url", url, ...SMALL, "--json"])).toMatchObject({
      code: 3,
      stdout: expect.stringContaining('"code": "unavailable"'),
    });
    const failing = await serve(() => ({ kind: "status", status: 500, type: "api_error" }));
    expect(await bench(["--url", failing.url, ...SMALL])).toMatchObject({ code: 3 });
  });

  it("documents its exit codes and examples in its help", async () => {
    for (const args of [["--help"], ["run", "--help"], ["compare", "--help"]]) {
      const { code, stdout } = await bench(args);
      expect(code).toBe(0);
      expect(stdout).toMatch(/Examples:[^]*Exit codes:/);
    }
  });
});

/** A long run as a process of its own. */
function startProcess(url: string): ChildProcessByStdio<null, Readable, Readable> {
  const main = path.join(import.meta.dirname, "../testing/cli-process.ts");
  const args = ["bench", "--url", url, "--users", "2", "--duration", "10m", "--warmup", "0", "--json"];
  return spawn(process.execPath, [main, ...args], { stdio: ["ignore", "pipe", "pipe"], env: {} });
}

describe("Ctrl-C", () => {
  it("ends the run early, still reports, and exits 130", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 10 }));
    const terminal = new FakeTerminal();
    const out = weir.file("r.json");
    const args = ["--url", server.url, "--users", "2", "--duration", "10m", "--warmup", "0", "--out", out];
    const running = bench(args, { terminal });
    while (server.arrived.length < 10) await new Promise(setImmediate);
    terminal.interrupt();
    expect(await running).toMatchObject({ code: 130, stderr: expect.stringContaining("Ending early") });
    expect(parseLoadReport(await readFile(out, "utf8"), "r").partial?.reason).toBe("interrupted");
    expect(terminal.listenerCount).toBe(0);
  });

  it("of the real process leaves the JSON complete on stdout", async () => {
    const server = await serve(() => ({ kind: "answer", firstMs: 10 }));
    const child = startProcess(server.url);
    let stdout = "";
    child.stdout.on("data", (chunk: Buffer) => (stdout += chunk.toString()));
    while (server.arrived.length < 10) await new Promise(setImmediate);
    child.kill("SIGINT");
    const [exitCode] = (await once(child, "close")) as [number | null];
    expect(exitCode).toBe(130);
    expect(loadReportSchema.parse(JSON.parse(stdout)).partial?.reason).toBe("interrupted");
  });

  it("pressed twice ends the process at once", async () => {
    const server = await serve(({ number }) => (number === 0 ? { kind: "answer" } : { kind: "silence" }));
    const child = startProcess(server.url);
    const output = { out: "", err: "" };
    child.stdout.on("data", (chunk: Buffer) => (output.out += chunk.toString()));
    child.stderr.on("data", (chunk: Buffer) => (output.err += chunk.toString()));
    while (server.arrived.length < 3) await new Promise(setImmediate);
    child.kill("SIGINT");
    while (!output.err.includes("Ending early")) await new Promise(setImmediate);
    child.kill("SIGINT");
    const [exitCode, signal] = (await once(child, "close")) as [number | null, string | null];
    expect(exitCode ?? signal).toBe(exitCode === null ? "SIGINT" : 130);
    expect(output.out).toBe("");
  });
});
