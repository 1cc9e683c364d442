import { connect } from "node:tls";
import { createServer } from "node:https";
import { once } from "node:events";

import { afterAll, beforeAll, describe, expect, it } from "vitest";

import { ManualClock } from "../core/clock.ts";
import type { LoadResult } from "./load.ts";
import { ConfigDirectory } from "./testing/config-directory.ts";
import { selfSigned } from "./testing/self-signed.ts";
import { readServerTls } from "./tls-files.ts";

const DAY_MS = 86_400_000;
const NOW_MS = Date.UTC(2026, 10, 20);
const YEAR = { fromMs: NOW_MS - DAY_MS, toMs: NOW_MS + 365 * DAY_MS };

let directory: ConfigDirectory;
const one = selfSigned(YEAR);
const other = selfSigned(YEAR);

beforeAll(async () => {
  directory = await ConfigDirectory.create({
    "one.crt": one.cert,
    "one.key": one.key,
    "other.key": other.key,
    "empty.pem": "",
    "broken.crt": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
  });
});
afterAll(async () => directory.remove());

async function load(tls: object, { nowMs = NOW_MS, profile = "dev" } = {}): Promise<LoadResult> {
  await directory.write("weir.yaml", `profile: ${profile}\nlisten:\n  tls: ${JSON.stringify(tls)}\n`);
  const overrides = profile === "prod" ? { ...SOUND } : {};
  return directory.load({ clock: new ManualClock(nowMs), overrides });
}

const SOUND = {
  listen: { public_url: "https://weir.example.com" },
  store: { postgres_url: "postgres://db.example.com/weir" },
  upstreams: [{ provider: "anthropic", auth: { api_key: "sk-ant-api03-b8Q2x7Lm5Zk9" } }],
  security: { key_pepper: "qL7c0Vh2mR9xT4wB8nK1sZ6yD3fG5jP0" },
};

const codes = (result: LoadResult) =>
  (result.ok ? result.warnings : result.diagnostics).map(({ severity, code, path }) => `${severity} ${code} ${path}`);

describe("certificates and keys", () => {
  it("are taken when they belong together", async () => {
    const result = await load({ cert: "one.crt", key: "one.key" });
    expect(codes(result)).toEqual([]);
    expect(result.dependencies).toContain(directory.file("one.key"));
  });

  it.each([
    ["a certificate that is not there", { cert: "no.crt", key: "one.key" }, ["error unreadable_file listen.tls.cert"]],
    ["a file without a certificate", { cert: "one.key", key: "one.key" }, ["error bad_pem listen.tls.cert"]],
    ["a certificate that is none", { cert: "broken.crt", key: "one.key" }, ["error bad_pem listen.tls.cert"]],
    ["a file without a key", { cert: "one.crt", key: "empty.pem" }, ["error bad_pem listen.tls.key"]],
    ["the key of another certificate", { cert: "one.crt", key: "other.key" }, ["error key_mismatch listen.tls.key"]],
    [
      "authorities that are not there",
      { cert: "one.crt", key: "one.key", client_ca: "no.pem", client_auth: "require" },
      ["error unreadable_file listen.tls.client_ca"],
    ],
  ])("refuses %s", async (_, tls, expected) => expect(codes(await load(tls))).toEqual(expected));

  it("refuses an expired certificate in prod, and warns elsewhere", async () => {
    const late = { nowMs: YEAR.toMs + DAY_MS };
    const tls = { cert: "one.crt", key: "one.key" };
    expect(codes(await load(tls, late))).toEqual(["warning certificate_not_valid listen.tls.cert"]);
    expect(codes(await load(tls, { ...late, profile: "prod" }))).toEqual([
      "error certificate_not_valid listen.tls.cert",
    ]);
  });

  it("refuses one that is not valid yet in prod", async () => {
    const early = { nowMs: YEAR.fromMs - DAY_MS, profile: "prod" };
    expect(codes(await load({ cert: "one.crt", key: "one.key" }, early))).toEqual([
      "error certificate_not_valid listen.tls.cert",
    ]);
  });

  it("warns two weeks before the end", async () => {
    const tls = { cert: "one.crt", key: "one.key" };
    const soon = await load(tls, { nowMs: YEAR.toMs - 13 * DAY_MS, profile: "prod" });
    expect(codes(soon)).toEqual(["warning certificate_expires listen.tls.cert"]);
  });

  it("are checked for upstreams and the network as well", async () => {
    const text = `network: { tls: { ca: no.pem } }\nupstreams:\n  - provider: anthropic\n    auth: { api_key: sk-ant-api03-b8Q2x7Lm5Zk9 }\n    tls: { ca: one.crt, cert: one.crt, key: other.key }\n`;
    await directory.write("weir.yaml", text);
    expect(codes(await directory.load({ clock: new ManualClock(NOW_MS) }))).toEqual([
      "error unreadable_file network.tls.ca",
      "error key_mismatch upstreams[0].tls.key",
    ]);
  });
});

describe("TLS of the server", () => {
  it("has the protocol versions of the profile", async () => {
    const dev = await load({ cert: "one.crt", key: "one.key" });
    const prod = await load({ cert: "one.crt", key: "one.key" }, { profile: "prod" });
    expect(dev.ok && dev.config.listen.tls?.min_version).toBe("TLSv1.2");
    expect(prod.ok && prod.config.listen.tls?.min_version).toBe("TLSv1.3");
  });

  it("speaks TLS 1.3 with the first suite, and turns away what is older than it may be", async () => {
    const result = await load({ cert: "one.crt", key: "one.key", min_version: "TLSv1.3" });
    if (!result.ok || result.config.listen.tls === undefined) throw new Error(JSON.stringify(result));
    const server = createServer({ ...(await readServerTls(result.config.listen.tls)) });
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    const port = typeof address === "object" && address !== null ? address.port : 0;

    const socket = connect({
      port,
      host: "127.0.0.1",
      ca: one.cert,
      servername: "localhost",
      checkServerIdentity: () => undefined,
    });
    await once(socket, "secureConnect");
    expect([socket.getProtocol(), socket.getCipher().name]).toEqual(["TLSv1.3", "TLS_AES_256_GCM_SHA384"]);
    socket.destroy();

    const old = connect({ port, host: "127.0.0.1", rejectUnauthorized: false, maxVersion: "TLSv1.2" });
    const [error] = await once(old, "error");
    expect(String(error)).toMatch(/alert|protocol/i);
    server.close();
    await once(server, "close");
  });

  it("asks clients for certificates as configured", async () => {
    const options = async (client_auth: string) => {
      const result = await load({ cert: "one.crt", key: "one.key", client_ca: "one.crt", client_auth });
      if (!result.ok || result.config.listen.tls === undefined) throw new Error(JSON.stringify(result));
      const { requestCert, rejectUnauthorized, ca } = await readServerTls(result.config.listen.tls);
      return { requestCert, rejectUnauthorized, ca: ca?.toString() };
    };
    expect(await options("none")).toEqual({ requestCert: false, rejectUnauthorized: false, ca: one.cert });
    expect(await options("optional")).toEqual({ requestCert: true, rejectUnauthorized: false, ca: one.cert });
    expect(await options("require")).toEqual({ requestCert: true, rejectUnauthorized: true, ca: one.cert });
  });
});
