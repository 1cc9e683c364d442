import { connect } from "node:net";
import type { IncomingMessage, ServerResponse } from "node:http";

import { describe, expect, it, vi } from "vitest";

import { AddressList } from "../../core/address-list.ts";
import { startObjectsGateway, type ObjectsGateway } from "./testing/objects-gateway.ts";

const MIB = 1024 * 1024;
const CHUNK = Buffer.alloc(64 * 1024, "weir");

/** A body of that many bytes, made as it is read; tells how much has been read of it. */
function bodyOf(bytes: number): { stream: ReadableStream; read: () => number } {
  let read = 0;
  const stream = new ReadableStream(
    {
      pull: (controller) => {
        if (read >= bytes) controller.close();
        else {
          const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, bytes - read));
          read += chunk.length;
          controller.enqueue(chunk);
        }
      },
    },
    { highWaterMark: 0 },
  );
  return { stream, read: () => read };
}

/** Lets the upstream handle the next request whose method this is by itself. */
function take(
  { upstream }: ObjectsGateway,
  method: string,
  handle: (request: IncomingMessage, response: ServerResponse) => void,
): void {
  upstream.override = (request, response) => {
    if (request.method !== method) return false;
    upstream.override = null;
    handle(request, response);
    return true;
  };
}

const large = { snapshot: { maxRequestBytes: 512 * MIB } };

describe("uploading a file", () => {
  it("streams it: the client is slowed down to what the upstream takes, and little is kept", async () => {
    const objects = await startObjectsGateway(large);
    const total = 96 * MIB;
    const body = bodyOf(total);
    const mayRead = Promise.withResolvers<void>();
    let received = 0;
    take(objects, "POST", (request, response) => {
      void mayRead.promise.then(async () => {
        for await (const chunk of request as AsyncIterable<Buffer>) received += chunk.length; // no encoding is set
        response.end('{"id":"file_large","type":"file"}');
      });
    });
    const answer = objects.call("ada", "POST", "/v1/files", {
      body: body.stream,
      headers: { "content-type": "multipart/form-data; boundary=x" },
    });
    await stands(body.read);
    // Socket buffers on both ways and the streams' own, far from the whole.
    expect(body.read()).toBeLessThan(total / 2);
    mayRead.resolve();
    expect((await answer).status).toBe(200);
    expect(received).toBe(total);
    expect(await objects.store.get("file", "file_large")).toMatchObject({ userId: "usr_1", target: "anthropic" });
  });

  it("passes bytes, length, type and encoding on as they came", async () => {
    const { call, upstream } = await startObjectsGateway();
    const body = Buffer.from([0, 1, 2, 0xff, 0x0d, 0x0a]);
    const headers = { "content-type": "multipart/form-data; boundary=x", "content-encoding": "zstd" };
    expect((await call("ada", "POST", "/v1/files?beta=true", { body, headers })).status).toBe(200);
    const [seen] = upstream.requests;
    expect(seen?.url).toBe("/v1/files?beta=true");
    expect(seen?.body).toEqual(body);
    expect(seen?.headers).toMatchObject({ ...headers, "content-length": "6" });
  });

  it("refuses what is too large, told beforehand or found out on the way", async () => {
    const objects = await startObjectsGateway({ snapshot: { maxRequestBytes: 100_000 } });
    const told = await objects.call("ada", "POST", "/v1/files", { body: Buffer.alloc(100_001) });
    expect(told.status).toBe(413);
    expect(objects.upstream.requests).toEqual([]);
    const found = await objects.call("ada", "POST", "/v1/files", { body: bodyOf(100_001).stream });
    expect(found.status).toBe(413);
    expect(await found.json()).toMatchObject({ error: { type: "request_too_large" } });
    expect(objects.upstream.files.size).toBe(0);
    expect((await objects.call("ada", "POST", "/v1/files", { body: Buffer.alloc(100_000) })).status).toBe(200);
  });

  it("gives the upstream's answer also when it comes before the end of the upload", async () => {
    const objects = await startObjectsGateway(large);
    take(objects, "POST", (_request, response) => {
      response.writeHead(400, { "content-type": "application/json" }).end('{"type":"error","why":"no"}');
    });
    const socket = connect(objects.gateway.port, "127.0.0.1");
    socket.write(
      `POST /v1/files HTTP/1.1\r\nhost: x\r\nx-api-key: ${objects.keys.ada}\r\ncontent-length: 1000000\r\n\r\nthe beginning`,
    );
    let text = "";
    for await (const chunk of socket) text += String(chunk);
    expect(text).toMatch(/^HTTP\/1\.1 400 /);
    expect(text).toContain('{"type":"error","why":"no"}');
    expect(text.toLowerCase()).toContain("connection: close");
  });

  it("ends upstream when the client goes away, and leaves nothing behind", async () => {
    const objects = await startObjectsGateway(large);
    const broken = Promise.withResolvers<void>();
    const begun = Promise.withResolvers<void>();
    take(objects, "POST", (request) => {
      request.once("data", () => begun.resolve());
      request.on("error", () => {}).once("close", () => broken.resolve());
    });
    const socket = connect(objects.gateway.port, "127.0.0.1");
    socket.write(
      `POST /v1/files HTTP/1.1\r\nhost: x\r\nx-api-key: ${objects.keys.ada}\r\ncontent-length: 1000000\r\n\r\nthe beginning`,
    );
    await begun.promise;
    socket.destroy();
    await broken.promise;
    await vi.waitFor(() => expect(objects.gateway.server.inProgress).toBe(0));
    expect((await objects.call("ada", "GET", "/v1/files").then((answer) => answer.json())) as object).toMatchObject({
      data: [],
    });
  });

  it("is an error of the upstream when that breaks off", async () => {
    const objects = await startObjectsGateway(large);
    take(objects, "POST", (request) => void request.once("data", () => request.socket.destroy()));
    const answer = await objects.call("ada", "POST", "/v1/files", { body: bodyOf(MIB).stream });
    expect(answer.status).toBe(502);
  });
});

describe("downloading", () => {
  /** Answers the next GET with that many bytes, as fast as they are taken. */
  function serveBytes(objects: ObjectsGateway, total: number): { sent: () => number; closed: Promise<void> } {
    let sent = 0;
    const closed = Promise.withResolvers<void>();
    take(objects, "GET", (_request, response) => {
      response.once("close", () => closed.resolve());
      response.writeHead(200, { "content-type": "application/x-jsonl", "content-length": String(total) });
      const more = (): void => {
        while (sent < total && !response.destroyed) {
          const chunk = CHUNK.subarray(0, Math.min(CHUNK.length, total - sent));
          sent += chunk.length;
          if (!response.write(chunk)) {
            response.once("drain", more);
            return;
          }
        }
        if (sent >= total) response.end();
      };
      more();
    });
    return { sent: () => sent, closed: closed.promise };
  }

  it.each(["results of a batch", "a file"])(
    "%s streams: the upstream is slowed down to what the client takes",
    async (what) => {
      const objects = await startObjectsGateway();
      const path =
        what === "a file"
          ? `/v1/files/${await objects.makeFile("ada")}/content`
          : `/v1/messages/batches/${await objects.makeBatch("ada")}/results`;
      const total = 96 * MIB;
      const { sent } = serveBytes(objects, total);
      const answer = await objects.call("ada", "GET", path);
      expect(answer.headers.get("content-length")).toBe(String(total));
      expect(answer.headers.get("content-type")).toBe("application/x-jsonl");
      await stands(sent);
      expect(sent()).toBeLessThan(total / 2);
      let received = 0;
      for await (const chunk of answer.body ?? []) received += chunk.length;
      expect(received).toBe(total);
    },
  );

  it("ends upstream when the client goes away", async () => {
    const objects = await startObjectsGateway();
    const file = await objects.makeFile("ada");
    const { closed, sent } = serveBytes(objects, 96 * MIB);
    const leaving = new AbortController();
    await objects.call("ada", "GET", `/v1/files/${file}/content`, { signal: leaving.signal });
    leaving.abort();
    await closed;
    expect(sent()).toBeLessThan(96 * MIB);
    await vi.waitFor(() => expect(objects.gateway.server.inProgress).toBe(0));
  });

  it("is cut for the client where the upstream cuts it", async () => {
    const objects = await startObjectsGateway();
    const file = await objects.makeFile("ada");
    take(objects, "GET", (_request, response) => {
      response.writeHead(200, { "content-type": "text/plain" });
      response.write("half of it", () => response.destroy());
    });
    const answer = await objects.call("ada", "GET", `/v1/files/${file}/content`);
    await expect(answer.text()).rejects.toThrow();
    objects.gateway.services.accessLog.flush();
    await vi.waitFor(() => {
      objects.gateway.services.accessLog.flush();
      expect(objects.gateway.accessLines.join("")).toContain('"outcome":"upstream_cut"');
    });
  });

  it("gives an error of the upstream word for word", async () => {
    const objects = await startObjectsGateway();
    const batch = await objects.makeBatch("ada");
    const answer = await objects.call("ada", "GET", `/v1/messages/batches/${batch}/results`);
    expect(answer.status).toBe(404);
    expect(await answer.text()).toBe(
      '{"type":"error","error":{"type":"not_found_error","message":"no such thing upstream"}}',
    );
    expect(answer.headers.get("x-weir-upstream")).toBe("anthropic");
  });
});

describe("links in answers", () => {
  async function linkOf(
    objects: ObjectsGateway,
    prefix: string,
    headers: Record<string, string> = {},
  ): Promise<unknown> {
    const id = await objects.makeBatch("ada");
    objects.upstream.end(id, []);
    const answer = await objects.call("ada", "GET", `${prefix}/v1/messages/batches/${id}`, { headers });
    return ((await answer.json()) as { results_url: unknown }).results_url;
  }

  it("lead where the caller came from, prefix included, never to the upstream", async () => {
    const objects = await startObjectsGateway();
    const link = await linkOf(objects, "/team/weir");
    expect(link).toBe(`${objects.gateway.url}/team/weir/v1/messages/batches/msgbatch_1/results`);
    expect((await objects.call("ada", "GET", String(link).slice(objects.gateway.url.length))).status).toBe(200);
  });

  it("believe what a proxy says only of one that is trusted", async () => {
    const said = { "x-forwarded-proto": "https", "x-forwarded-host": "weir.example.com" };
    const stranger = await startObjectsGateway();
    expect(await linkOf(stranger, "", said)).toMatch(/^http:\/\/127\.0\.0\.1:/);
    const none = new AddressList([]);
    const access = { allow: none, deny: none, trustedProxies: new AddressList(["127.0.0.1"]) };
    const trusting = await startObjectsGateway({ snapshot: { access } });
    expect(await linkOf(trusting, "", said)).toBe("https://weir.example.com/v1/messages/batches/msgbatch_1/results");
    const odd = { "x-forwarded-proto": "javascript", "x-forwarded-host": "a b/c" };
    expect(await linkOf(trusting, "", odd)).toMatch(/^http:\/\/127\.0\.0\.1:/);
  });
});

/**
 * Resolves when a count has stopped growing: everything between the two ends is full. Taking a pause for the end makes the
 * count smaller than it could be, never larger, so a slow machine cannot fail a test by it.
 */
async function stands(count: () => number): Promise<void> {
  for (let before = -1, same = 0; same < 20;) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    same = count() === before && before > 0 ? same + 1 : 0;
    before = count();
  }
}
