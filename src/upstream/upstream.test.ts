import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { connect, type AddressInfo } from "node:net";

import type { Dispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { selfSigned } from "../config/testing/self-signed.ts";
import { AddressList } from "../core/address-list.ts";
import { eventually } from "../../test/harness/waiting.ts";
import type { CredentialSource, SignableRequest } from "./credentials/credential.ts";
import { StaticCredential } from "./credentials/static-credential.ts";
import { testSettings } from "./testing/test-settings.ts";
import { AddressRefused } from "./transport/address-guard.ts";
import { Upstream, type RequestTimeouts, type UpstreamSettings } from "./upstream.ts";

function upstreamAt(baseUrl: string, given: Partial<UpstreamSettings> = {}): Upstream {
  const upstream = new Upstream(testSettings({ baseUrl, extraHeaders: { "X-Extra": "1" }, ...given }));
  onTestFinished(() => upstream.connections.destroy());
  return upstream;
}

async function listen(server: Server | TlsServer): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: Server | TlsServer): number {
  // By its type an address may be a pipe's name; these servers listen on ports.
  return (server.address() as AddressInfo).port;
}

async function close(server: Server | TlsServer): Promise<void> {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
}

interface Answer {
  status: number;
  headers: Record<string, unknown>;
  body: string;
}

async function ask(
  upstream: Upstream,
  path = "/v1/messages?beta=true",
  { headers = [], timeouts }: { headers?: string[]; timeouts?: RequestTimeouts } = {},
): Promise<Answer> {
  const request = await upstream.sign({ path, method: "POST", headers, body: "{}" });
  return new Promise((resolve, reject) => {
    const answer: Answer = { status: 0, headers: {}, body: "" };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_, status, headers) => Object.assign(answer, { status, headers }),
      onResponseData: (_, chunk) => void (answer.body += chunk.toString()),
      onResponseEnd: () => resolve(answer),
      onResponseError: (_, error) => reject(error),
    };
    upstream.dispatch(request, handler, timeouts);
  });
}

describe("Upstream", () => {
  let server: Server;
  let port: number;
  let seen: IncomingMessage[];
  let held: ServerResponse[];

  beforeEach(async () => {
    seen = [];
    held = [];
    server = createServer((request, response) => {
      seen.push(request);
      request.resume();
      if (request.url?.includes("redirect")) response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
      else if (request.url?.includes("held")) held.push(response);
      else if (request.url?.includes("slow")) setTimeout(() => response.end("late answer"), 1_500);
      else if (!request.url?.includes("silence")) response.end("answer");
    });
    await listen(server);
    port = portOf(server);
  });

  afterEach(async () => {
    await close(server);
  });

  it.each([
    ["", "/v1/messages?beta=true"],
    ["/", "/v1/messages?beta=true"],
    ["/api/proxy", "/api/proxy/v1/messages?beta=true"],
    ["/api/proxy//", "/api/proxy/v1/messages?beta=true"],
  ])("puts the prefix %j of its base URL before the path", async (prefix, url) => {
    expect((await ask(upstreamAt(`http://127.0.0.1:${port}${prefix}`))).body).toBe("answer");

    expect(seen[0]?.url).toBe(url);
  });

  it("sends its own headers and its credential instead of a client's of the same name", async () => {
    const credential = new StaticCredential("test", ["x-api-key", "credential"]);
    const upstream = upstreamAt(`http://127.0.0.1:${port}`, { credential });
    await ask(upstream, "/v1/messages", { headers: ["x-extra", "client's", "x-api-key", "client's", "x-own", "kept"] });

    expect(upstream.fixedHeaders).toEqual(["x-extra", "1"]);
    expect(seen[0]?.rawHeaders.filter((text) => text.startsWith("x-"))).toEqual(["x-own", "x-extra", "x-api-key"]);
    expect(seen[0]?.headers).toMatchObject({
      "x-extra": "1",
      "x-api-key": "credential",
      "x-own": "kept",
      host: `127.0.0.1:${port}`,
    });
  });

  it("has the request signed as it is sent: with its prefix, its fixed headers and its body", async () => {
    const signed: SignableRequest[] = [];
    const credential: CredentialSource = Object.assign(new StaticCredential("test", []), {
      headers: async (request: SignableRequest) => {
        signed.push(request);
        return ["authorization", "signature"];
      },
    });
    await ask(upstreamAt(`http://127.0.0.1:${port}/prefix`, { credential }), "/v1/messages?beta=true");

    expect(signed).toEqual([
      {
        method: "POST",
        host: `127.0.0.1:${port}`,
        path: "/prefix/v1/messages?beta=true",
        headers: ["x-extra", "1"],
        body: Buffer.from("{}"),
      },
    ]);
    expect(seen[0]?.headers.authorization).toBe("signature");
  });

  it.each([
    ["directly", (): Partial<UpstreamSettings> => ({})],
    ["through a proxy", (): Partial<UpstreamSettings> => ({ proxyUrl: `http://127.0.0.1:${port}` })],
  ])("is full while as many requests are open as it may have, %s", async (_, way) => {
    const upstream = upstreamAt(`http://127.0.0.1:${port}`, { ...way(), maxConcurrent: 1 });
    expect(upstream.isFull).toBe(false);
    const asking = ask(upstream, "/held");
    await eventually("the request has come", () => held.length === 1);
    expect(upstream.isFull).toBe(true);
    held[0]?.end("answer");
    await asking;
    expect(upstream.isFull).toBe(false);
  });

  it("does not follow a redirect", async () => {
    const answer = await ask(upstreamAt(`http://127.0.0.1:${port}`), "/redirect");

    expect(answer.status).toBe(302);
    expect(seen).toHaveLength(1);
  });

  it("gives up on an answer that does not begin in time", async () => {
    const upstream = upstreamAt(`http://127.0.0.1:${port}`, { headersTimeoutMs: 50 });

    await expect(ask(upstream, "/silence")).rejects.toMatchObject({ code: "UND_ERR_HEADERS_TIMEOUT" });
  });

  it("waits as long as a request says, no longer than it may, and by its own time before both", async () => {
    const late = { code: "UND_ERR_HEADERS_TIMEOUT" };
    const base = `http://127.0.0.1:${port}`;
    const timeouts = { firstByteMs: 50, idleMs: 50 };
    await expect(ask(upstreamAt(base), "/silence", { timeouts })).rejects.toMatchObject(late);
    const impatient = upstreamAt(base, { ownTimeouts: { firstByteMs: 50 } });
    await expect(
      ask(impatient, "/silence", { timeouts: { firstByteMs: 60_000, idleMs: 60_000 } }),
    ).rejects.toMatchObject(late);
    const patient = upstreamAt(base, { headersTimeoutMs: 50, ownTimeouts: { firstByteMs: 60_000 } });
    expect((await ask(patient, "/slow", { timeouts })).body).toBe("late answer");
  });

  it.each([
    "http://127.0.0.1:9",
    "http://169.254.169.254",
    "http://[::1]:9",
    "http://0x7f000001",
    "http://[::ffff:10.0.0.1]",
  ])("cannot be made for %s unless the configuration allows that address", (baseUrl) => {
    expect(() => upstreamAt(baseUrl, { allowPrivate: new AddressList([]) })).toThrow(AddressRefused);
  });

  it("does not connect to a name that resolves to where it may not be", async () => {
    const upstream = upstreamAt(`http://localhost:${port}`, { allowPrivate: new AddressList([]) });

    await expect(ask(upstream)).rejects.toMatchObject({ code: "WEIR_ADDRESS_REFUSED" });
    expect(seen).toEqual([]);
  });

  describe("behind a forward proxy", () => {
    let proxy: Server;
    let proxyUrl: string;
    let asked: string[];
    let tlsServer: TlsServer;
    const localhost = selfSigned({ fromMs: Date.now() - 86_400_000, toMs: Date.now() + 86_400_000 });
    const tls = { ca: localhost.cert, cert: null, key: null, serverName: "localhost" };

    beforeEach(async () => {
      asked = [];
      tlsServer = createTlsServer(localhost, (_, response) => response.end("answer over TLS"));
      proxy = createServer((request, response) => {
        asked.push(`${request.method} ${request.url}`);
        response.end("answer by the proxy");
      });
      proxy.on("connect", (request, client) => {
        asked.push(`CONNECT ${request.url}`);
        const target = connect(portOf(tlsServer), "127.0.0.1", () => {
          client.write("HTTP/1.1 200 Connection Established\r\n\r\n");
          target.pipe(client).pipe(target);
        });
        for (const socket of [client, target]) socket.on("error", () => {});
        client.on("close", () => target.destroy());
      });
      await Promise.all([listen(proxy), listen(tlsServer)]);
      proxyUrl = `http://127.0.0.1:${portOf(proxy)}`;
    });

    afterEach(async () => {
      await Promise.all([close(proxy), close(tlsServer)]);
    });

    const nowhere = new AddressList([]);

    it("tunnels TLS to names that the proxy resolves, and checks the certificate there", async () => {
      const upstream = upstreamAt("https://api.example.test", { proxyUrl, tls, allowPrivate: nowhere });

      expect((await ask(upstream)).body).toBe("answer over TLS");
      expect(asked).toEqual(["CONNECT api.example.test:443"]);
    });

    it("does not trust a certificate of an authority that it was not given", async () => {
      const upstream = upstreamAt("https://api.example.test", { proxyUrl, tls: { ...tls, ca: null } });

      await expect(ask(upstream)).rejects.toThrow(/certificate/);
    });

    it("does not trust a certificate for another name", async () => {
      const upstream = upstreamAt("https://api.example.test", { proxyUrl, tls: { ...tls, serverName: null } });

      await expect(ask(upstream)).rejects.toThrow(/api\.example\.test/);
    });

    it("asks the proxy itself for what is not encrypted", async () => {
      const upstream = upstreamAt("http://api.example.test", { proxyUrl, allowPrivate: nowhere });

      expect((await ask(upstream)).body).toBe("answer by the proxy");
      expect(asked).toEqual(["POST http://api.example.test/v1/messages?beta=true"]);
    });
  });

  it("knows whether it is the sandbox", () => {
    expect(upstreamAt("http://127.0.0.1:9", { provider: "sandbox" }).isSandbox).toBe(true);
    expect(upstreamAt("http://127.0.0.1:9").isSandbox).toBe(false);
  });
});
