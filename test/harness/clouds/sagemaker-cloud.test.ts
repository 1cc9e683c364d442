/** The stand-in of an endpoint of Amazon SageMaker, asked with AWS's own signer and frames read by AWS's own codec. */
import { EventStreamCodec } from "@smithy/eventstream-codec";
import { describe, expect, it } from "vitest";

import type { CloudServer } from "./cloud-server.ts";
import { signed } from "./direct-request.ts";
import { SageMakerCloud } from "./sagemaker-cloud.ts";
import { hello, MODEL, startCloud } from "./testing.ts";

async function invoke(server: CloudServer, operation: string, body: object, service = "sagemaker"): Promise<Response> {
  const url = `${server.url}/endpoints/${MODEL}/${operation}`;
  const headers = { "content-type": "application/json" };
  const request = { url, headers, body: JSON.stringify(body) };
  return await fetch(url, { method: "POST", headers: await signed(request, service), body: request.body });
}

describe("the SageMaker stand-in", () => {
  it("answers a signed request", async () => {
    const server = await startCloud(new SageMakerCloud());
    const response = await invoke(server, "invocations", hello());
    expect(await response.json()).toMatchObject({ type: "message", role: "assistant" });
    expect(server.problems).toEqual([]);
    expect(server.charges).toHaveLength(1);
  });

  it("streams the container's events as payload parts that cut through them", async () => {
    const server = await startCloud(new SageMakerCloud());
    const response = await invoke(server, "invocations-response-stream", { ...hello(), stream: true });
    expect(response.headers.get("content-type")).toBe("application/vnd.amazon.eventstream");
    const parts = partsOf(Buffer.from(await response.arrayBuffer()));
    const text = Buffer.concat(parts).toString("utf8");
    expect(text).toMatch(/^event: message_start\n/);
    expect(text).toMatch(/event: message_stop\ndata: .*\n\n$/);
    expect(parts.length).toBe(2 * (text.split("\n\n").length - 1));
    expect(server.problems).toEqual([]);
  });

  it.each<[string, string, object, string, string]>([
    ["a signature for another service", "invocations", hello(), "bedrock", "the scope is"],
    [
      "a stream asked of the wrong operation",
      "invocations",
      { ...hello(), stream: true },
      "sagemaker",
      "stream is true",
    ],
    [
      "no stream asked of the streaming one",
      "invocations-response-stream",
      hello(),
      "sagemaker",
      "stream is undefined",
    ],
  ])("notes %s", async (_, ...[operation, body, service, reason]) => {
    const server = await startCloud(new SageMakerCloud());
    await (await invoke(server, operation, body, service)).arrayBuffer();
    expect(server.problems).toHaveLength(1);
    expect(server.problems[0]).toContain(reason);
  });

  it("passes on what the container refuses as 424", async () => {
    const server = await startCloud(new SageMakerCloud());
    server.nextFault({ kind: "prompt_too_long" });
    const response = await invoke(server, "invocations", hello());
    expect(response.status).toBe(424);
    expect(await response.json()).toMatchObject({
      OriginalStatusCode: 400,
      OriginalMessage: expect.stringContaining("prompt is too long"),
    });
  });
});

function partsOf(bytes: Buffer): Buffer[] {
  const codec = new EventStreamCodec(
    (data) => (typeof data === "string" ? data : new TextDecoder().decode(data)),
    (text) => Buffer.from(text),
  );
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += bytes.readUInt32BE(at)) {
    const { headers, body } = codec.decode(bytes.subarray(at, at + bytes.readUInt32BE(at)));
    expect(headers[":event-type"]?.value).toBe("PayloadPart");
    parts.push(Buffer.from(body));
  }
  return parts;
}
