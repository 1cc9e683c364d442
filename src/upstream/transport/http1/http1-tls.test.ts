import { createServer, type Server } from "node:https";
import type { AddressInfo } from "node:net";
import type { TLSSocket } from "node:tls";

import { afterEach, describe, expect, it, onTestFinished } from "vitest";

import { selfSigned } from "../../../config/testing/self-signed.ts";
import { AddressList } from "../../../core/address-list.ts";
import { guardedLookup } from "../address-guard.ts";
import type { ConnectorTls } from "./connector.ts";
import { Http1Pool } from "./http1-pool.ts";
import { RecordedAnswer } from "./testing/recorded-answer.ts";

const DAY_MS = 86_400_000;
const localhost = selfSigned({ fromMs: Date.now() - DAY_MS, toMs: Date.now() + DAY_MS });
const LOOPBACK = guardedLookup(new AddressList(["127.0.0.0/8", "::1"]));

let server: Server;
let seen: { readonly serverName: string | false | null; readonly client: boolean; readonly resumed: boolean }[] = [];

async function listen(options: { requestCert?: boolean } = {}): Promise<number> {
  seen = [];
  const ca = localhost.cert;
  server = createServer({ ...localhost, ca, ...options, rejectUnauthorized: false }, (request, response) => {
    // What a server of node:https serves comes over TLS.
    const socket = request.socket as TLSSocket;
    const client = Object.keys(socket.getPeerCertificate()).length > 0;
    seen.push({ serverName: socket.servername, client, resumed: socket.isSessionReused() });
    if (request.url === "/close") response.shouldKeepAlive = false;
    request.resume().on("end", () => response.end("x".repeat(200_000)));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  // By its type an address may be a pipe's name; this server listens on a port.
  return (server.address() as AddressInfo).port;
}

afterEach(async () => {
  server.closeAllConnections();
  await new Promise((resolve) => server.close(resolve));
});

function poolAt(origin: string, tls: ConnectorTls): Http1Pool {
  const limits = { connectTimeoutMs: 5_000, headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, keepAliveMs: 5_000 };
  const pool = new Http1Pool(origin, { tls, lookup: LOOPBACK, ...limits });
  onTestFinished(() => pool.destroy());
  return pool;
}

describe("Http1Pool over TLS", () => {
  it("reads a large answer whole, on one connection after another request", async () => {
    const pool = poolAt(`https://localhost:${await listen()}`, { ca: localhost.cert });
    for (let i = 0; i < 3; i++) {
      const answer = await RecordedAnswer.of(pool, { body: Buffer.alloc(100_000) }).over;
      expect(answer.error).toBeNull();
      expect(answer.body).toBe("x".repeat(200_000));
    }
    expect(pool.size).toBe(1);
    expect(seen[0]?.serverName).toBe("localhost");
  });

  it("does not trust a certificate of an authority that it was not given, nor one for another name", async () => {
    const port = await listen();
    const stranger = await RecordedAnswer.of(poolAt(`https://localhost:${port}`, {})).over;
    expect(stranger.error?.code).toMatch(/SELF_SIGNED|UNABLE_TO_VERIFY/);
    const misnamed = poolAt(`https://localhost:${port}`, { ca: localhost.cert, servername: "other.test" });
    expect((await RecordedAnswer.of(misnamed).over).error?.code).toBe("ERR_TLS_CERT_ALTNAME_INVALID");
    expect(seen).toEqual([]);
  });

  it("asks for the name that it was given instead of the host's", async () => {
    const port = await listen();
    const pool = poolAt(`https://127.0.0.1:${port}`, { ca: localhost.cert, servername: "localhost" });
    expect((await RecordedAnswer.of(pool).over).status).toBe(200);
    expect(seen[0]?.serverName).toBe("localhost");
  });

  it("shows its own certificate where it is asked for one", async () => {
    const tls = { ca: localhost.cert, cert: localhost.cert, key: localhost.key };
    const pool = poolAt(`https://localhost:${await listen({ requestCert: true })}`, tls);
    expect((await RecordedAnswer.of(pool).over).status).toBe(200);
    expect(seen[0]?.client).toBe(true);
  });

  it("resumes its session on a new connection", async () => {
    const pool = poolAt(`https://localhost:${await listen()}`, { ca: localhost.cert });
    await RecordedAnswer.of(pool, { path: "/close" }).over;
    await RecordedAnswer.of(pool).over;
    expect(seen.map(({ resumed }) => resumed)).toEqual([false, true]);
  });

  it("does not connect to a name that resolves to where it may not be", async () => {
    const port = await listen();
    const limits = { connectTimeoutMs: 5_000, headersTimeoutMs: 5_000, bodyTimeoutMs: 5_000, keepAliveMs: 5_000 };
    const lookup = guardedLookup(new AddressList([]));
    const pool = new Http1Pool(`https://localhost:${port}`, { tls: { ca: localhost.cert }, lookup, ...limits });
    expect((await RecordedAnswer.of(pool).over).error?.code).toBe("WEIR_ADDRESS_REFUSED");
    expect(pool.size).toBe(0);
  });
});
