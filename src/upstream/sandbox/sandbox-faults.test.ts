import {
  APIConnectionError,
  APIConnectionTimeoutError,
  APIUserAbortError,
  AuthenticationError,
  BadRequestError,
  InternalServerError,
  NotFoundError,
  RateLimitError,
} from "@anthropic-ai/sdk";
import { describe, expect, it } from "vitest";

import type { Fault } from "./fault.ts";
import { ask, MODEL, postMessage, startSandbox, until } from "./testing/test-sandbox.ts";

/** The names of the events of a streamed answer, and whether its body came to a regular end. */
async function readStream(answer: Response): Promise<{ names: readonly string[]; isWhole: boolean }> {
  let text = "";
  let isWhole = true;
  const decoder = new TextDecoder();
  try {
    for await (const chunk of answer.body ?? []) text += decoder.decode(chunk, { stream: true });
  } catch {
    isWhole = false;
  }
  return { names: [...text.matchAll(/^event: (\w+)$/gm)].map((match) => match[1] ?? ""), isWhole };
}

const streamed = (content: string): object => ({ ...ask(content), stream: true });

describe("injected faults", () => {
  it.each([
    [400, "invalid_request_error", BadRequestError],
    [401, "authentication_error", AuthenticationError],
    [404, "not_found_error", NotFoundError],
    [429, "rate_limit_error", RateLimitError],
    [500, "api_error", InternalServerError],
    [502, "api_error", InternalServerError],
    [503, "api_error", InternalServerError],
    [504, "timeout_error", InternalServerError],
    [529, "overloaded_error", InternalServerError],
  ])("answers %i as %s", async (status, type, kind) => {
    const { client, sandbox } = await startSandbox({ faults: [{ fault: { kind: "status", status } }] });
    const error: unknown = await client.messages.create(ask("hi")).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(kind);
    expect(error).toMatchObject({
      status,
      error: { type: "error", error: { type } },
      requestID: expect.stringMatching(/^req_sandbox_/),
    });
    expect(sandbox.stats().injectedFaults).toBe(1);
  });

  it("sends retry-after, and a client that heeds it gets through when every second request fails", async () => {
    const fault: Fault = { kind: "status", status: 429, retryAfterSeconds: 0 };
    const { client, sandbox } = await startSandbox({ faults: [{ fault, everyNth: 2 }] });
    const answers = [await postMessage(sandbox, ask("hi")), await postMessage(sandbox, ask("hi"))];
    expect(answers.map((answer) => answer.status)).toEqual([200, 429]);
    expect(answers[1]?.headers.get("retry-after")).toBe("0");
    expect(answers[1]?.headers.get("x-should-retry")).toBe("true");
    const patient = client.withOptions({ maxRetries: 1 });
    for (const _ of [1, 2, 3]) await expect(patient.messages.create(ask("hi"))).resolves.toBeDefined();
  });

  it("resets the connection before the first byte", async () => {
    const { client } = await startSandbox({ faults: [{ fault: { kind: "reset" } }] });
    await expect(client.messages.create(ask("hi"))).rejects.toBeInstanceOf(APIConnectionError);
  });

  it("delays the first byte and then answers whole", async () => {
    const { client } = await startSandbox({ faults: [{ fault: { kind: "slow_first_byte", delayMs: 5 } }] });
    await expect(client.messages.create(ask("hi"))).resolves.toMatchObject({ stop_reason: "end_turn" });
    const hung = await startSandbox({ faults: [{ fault: { kind: "slow_first_byte", delayMs: 3_600_000 } }] });
    await expect(hung.client.messages.create(ask("hi"), { timeout: 50 })).rejects.toBeInstanceOf(
      APIConnectionTimeoutError,
    );
  });

  it("cuts a stream at every event without ever sending message_stop", async () => {
    const { sandbox } = await startSandbox();
    const whole = await readStream(await postMessage(sandbox, streamed("Go [[sandbox: events=4]]")));
    expect(whole).toMatchObject({ isWhole: true });
    expect(whole.names.at(-1)).toBe("message_stop");
    for (let event = 0; event < whole.names.length; event++) {
      const cut = await readStream(await postMessage(sandbox, streamed(`Go [[sandbox: events=4; cut=${event}]]`)));
      expect(cut).toEqual({ names: whole.names.slice(0, event), isWhole: false });
    }
  });

  it("ends a stream cleanly too early, or with an in-stream error", async () => {
    const { sandbox, client } = await startSandbox();
    const clean = await readStream(await postMessage(sandbox, streamed("Go [[sandbox: cut=5; how=end]]")));
    expect(clean.isWhole).toBe(true);
    expect(clean.names).toHaveLength(5);
    expect(clean.names).not.toContain("message_stop");
    const failing = client.messages.stream(ask("Go [[sandbox: cut=5; how=error]]")).finalMessage();
    await expect(failing).rejects.toMatchObject({
      error: { error: { type: "overloaded_error", message: "Overloaded" } },
    });
  });

  it("cuts an answer that is not streamed in the middle of its JSON", async () => {
    const { sandbox } = await startSandbox();
    const destroyed = await postMessage(sandbox, ask("Go [[sandbox: cut=1]]"));
    await expect(destroyed.text()).rejects.toThrow();
    const ended = await postMessage(sandbox, ask("Go [[sandbox: cut=1; how=end]]"));
    const half = await ended.text();
    expect(half).toMatch(/^\{"id":"msg_sandbox_/);
    expect(() => JSON.parse(half)).toThrow();
    const overloaded = await postMessage(sandbox, ask("Go [[sandbox: cut=1; how=error]]"));
    expect(overloaded.status).toBe(529);
  });

  it("keeps silent after an event, and whole when the answer is not streamed", async () => {
    const { client, sandbox } = await startSandbox();
    const names: string[] = [];
    const stream = await client.messages.create({ ...ask("Go [[sandbox: events=4; silence=4]]"), stream: true });
    const reading = (async (): Promise<void> => {
      for await (const event of stream) names.push(event.type);
    })();
    await until(() => names.length === 3);
    stream.controller.abort();
    await reading;
    await until(() => sandbox.stats().abandonedStreams === 1);
    expect(names).toEqual(["message_start", "content_block_start", "content_block_delta"]);
    await expect(client.messages.create(ask("Go [[sandbox: silence=0]]"), { timeout: 50 })).rejects.toBeInstanceOf(
      APIConnectionTimeoutError,
    );
    await expect(client.messages.create(ask("Go [[sandbox: silence=0; for=5]]"))).resolves.toBeDefined();
  });

  it("hits only the first requests when a directive says so, so that a retry gets through", async () => {
    const { client } = await startSandbox();
    const request = ask("Say hi [[sandbox: status=529; times=2]]");
    await expect(client.messages.create(request)).rejects.toMatchObject({ status: 529 });
    await expect(client.messages.create(request)).rejects.toMatchObject({ status: 529 });
    await expect(client.messages.create(request)).resolves.toMatchObject({ stop_reason: "end_turn" });
  });

  it("lets a directive steer length, events and stop reason", async () => {
    const { client, sandbox } = await startSandbox();
    const long = await client.messages.create(ask("Explain rivers [[sandbox: tokens=700]]"));
    expect(long.usage.output_tokens).toBe(700);
    expect(JSON.stringify(long.content)).not.toContain("[[sandbox");
    const { names } = await readStream(
      await postMessage(sandbox, streamed("Explain rivers [[sandbox: events=50; delay=0]]")),
    );
    expect(names.filter((name) => name === "content_block_delta")).toHaveLength(50);
    const refused = await client.messages.create(ask("Explain rivers [[sandbox: stop=refusal]]"));
    expect(refused).toMatchObject({ stop_reason: "refusal", stop_details: { type: "refusal" } });
  });

  it("says what is wrong with a directive", async () => {
    const { client } = await startSandbox();
    await expect(client.messages.create(ask("Go [[sandbox: kut=3]]"))).rejects.toMatchObject({
      status: 400,
      error: { error: { message: expect.stringMatching(/^sandbox directive: "kut" is no key; the keys are /) } },
    });
  });

  it("reads directives only from the last user turn", async () => {
    const { client } = await startSandbox();
    const messages = [
      { role: "user" as const, content: "Go [[sandbox: status=500]]" },
      { role: "assistant" as const, content: "Gone." },
      { role: "user" as const, content: "And again" },
    ];
    await expect(client.messages.create({ model: MODEL, max_tokens: 50, messages })).resolves.toBeDefined();
  });
});

describe("pace", () => {
  it("gives the same events at any speed", async () => {
    const fast = await startSandbox();
    const paced = await startSandbox({ tokensPerSecond: 2_000, latencyMs: 2, latencyJitterMs: 2 });
    const request = streamed("Compare trains and ships for freight");
    const bodies = await Promise.all(
      [fast, paced].map(async ({ sandbox }) => (await postMessage(sandbox, request)).text()),
    );
    expect(bodies[1]).toBe(bodies[0]);
  });

  it("stops generating when the client goes away, and counts it", async () => {
    const { client, sandbox } = await startSandbox();
    const stream = client.messages.stream(ask("Tell me a very long story [[sandbox: events=1000; delay=20]]"));
    let deltas = 0;
    stream.on("text", () => {
      deltas += 1;
      if (deltas === 3) stream.abort();
    });
    await expect(stream.finalMessage()).rejects.toBeInstanceOf(APIUserAbortError);
    await until(() => sandbox.stats().abandonedStreams === 1);
    const { openStreams, eventsSent } = sandbox.stats();
    expect(openStreams).toBe(0);
    expect(eventsSent).toBeLessThan(1_000);
  });

  it("ends open streams when it is stopped", async () => {
    const { client, sandbox } = await startSandbox();
    const stream = client.messages.stream(ask("Tell me a very long story [[sandbox: events=1000; delay=1000]]"));
    const failed = expect(stream.finalMessage()).rejects.toThrow();
    await until(() => sandbox.stats().openStreams === 1);
    await sandbox.stop();
    await failed;
  });

  it("serves many streams at once", async () => {
    const { sandbox } = await startSandbox();
    const request = streamed("Go [[sandbox: events=20; delay=5]]");
    const streams = await Promise.all(
      Array.from({ length: 200 }, async () => readStream(await postMessage(sandbox, request))),
    );
    expect(streams.every(({ names, isWhole }) => isWhole && names.at(-1) === "message_stop")).toBe(true);
    await until(() => sandbox.stats().completedStreams === 200);
  });
});
