import { createServer, type IncomingMessage, type Server } from "node:http";
import { createServer as createTlsServer, type Server as TlsServer } from "node:https";
import { connect, type AddressInfo } from "node:net";

import type { Dispatcher } from "undici";
import { afterEach, beforeEach, describe, expect, it, onTestFinished } from "vitest";

import { selfSigned } from "../config/testing/self-signed.ts";
import { AddressList } from "../core/address-list.ts";
import { AddressRefused } from "./transport/address-guard.ts";
import { Upstream, type UpstreamSettings } from "./upstream.ts";

const LOOPBACK = new AddressList(["127.0.0.0/8", "::1"]);

function upstreamAt(baseUrl: string, given: Partial<UpstreamSettings> = {}): Upstream {
  const upstream = new Upstream({
    name: "test",
    provider: "anthropic",
    baseUrl,
    authHeaders: { "x-api-key": "credential" },
    extraHeaders: { "x-extra": "1" },
    proxyUrl: null,
    tls: { ca: null, cert: null, key: null, serverName: null },
    connectTimeoutMs: 5_000,
    headersTimeoutMs: 5_000,
    idleTimeoutMs: 5_000,
    allowPrivate: LOOPBACK,
    forwardUserIdentity: false,
    ...given,
  });
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

function ask(upstream: Upstream, path = "/v1/messages?beta=true"): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const answer: Answer = { status: 0, headers: {}, body: "" };
    const handler: Dispatcher.DispatchHandler = {
      onRequestStart: () => {},
      onResponseStart: (_, status, headers) => Object.assign(answer, { status, headers }),
      onResponseData: (_, chunk) => void (answer.body += chunk.toString()),
      onResponseEnd: () => resolve(answer),
      onResponseError: (_, error) => reject(error),
    };
    upstream.dispatch({ path, method: "POST", headers: [...upstream.fixedHeaders], body: "{}" }, handler);
  });
}

describe("Upstream", () => {
  let server: Server;
  let port: number;
  let seen: IncomingMessage[];

  beforeEach(async () => {
    seen = [];
    server = createServer((request, response) => {
      seen.push(request);
      request.resume();
      if (request.url?.includes("redirect")) response.writeHead(302, { location: "http://127.0.0.1:1/" }).end();
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

  it("sends its own headers, credentials last", async () => {
    const upstream = upstreamAt(`http://127.0.0.1:${port}`);
    await ask(upstream);

    expect(upstream.fixedHeaders).toEqual(["x-extra", "1", "x-api-key", "credential"]);
    expect(seen[0]?.headers).toMatchObject({ "x-extra": "1", "x-api-key": "credential", host: `127.0.0.1:${port}` });
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
