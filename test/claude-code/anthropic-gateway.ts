import { spawn, type ChildProcess } from "node:child_process";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { once } from "node:events";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { createServer as createHttpServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTcpServer, connect, type AddressInfo, type Server as TcpServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { exportJWK, SignJWT, type JWK } from "jose";
import { Client } from "pg";

import type { PostgresAddress } from "../../src/store/postgres-connection.ts";
import { startTestPostgres, type TestPostgres } from "../harness/postgres.ts";
import { eventually, within } from "../harness/waiting.ts";

const START_TIMEOUT_MS = 60_000;
const CLIENT_ID = "weir-test";
const ROLE = "apps_gateway";

/** Who signs in at the stand-in for the identity provider. */
export interface SignedIn {
  readonly email: string;
  readonly groups: readonly string[];
}

/** A run of Anthropic's own gateway that could not start, with what it wrote. */
export class GatewayRefused extends Error {}

/**
 * The gateway inside the `claude` program, on a PostgreSQL and an identity provider of its own: the authority with which
 * Weir's answers are compared. Each `policy` is a run of its own, since it reads its file once.
 */
export class AnthropicGateway {
  readonly #program: string;
  readonly #postgres: TestPostgres;
  readonly #bridge: TcpServer;
  readonly #issuer: TestIssuer;
  readonly #dir: string;
  readonly #jwtSecret = randomBytes(32).toString("base64");
  #child: ChildProcess | null = null;
  #url = "";

  private constructor(parts: {
    program: string;
    postgres: TestPostgres;
    bridge: TcpServer;
    issuer: TestIssuer;
    dir: string;
  }) {
    this.#program = parts.program;
    this.#postgres = parts.postgres;
    this.#bridge = parts.bridge;
    this.#issuer = parts.issuer;
    this.#dir = parts.dir;
  }

  /** Makes what it needs; `run` starts it. Call `dispose` when done. */
  static async prepare(program: string): Promise<AnthropicGateway> {
    const postgres = await startTestPostgres();
    await createRole(postgres.connection);
    const bridge = await bridgeTo(postgres.connection);
    const issuer = await TestIssuer.start();
    const dir = await mkdtemp(join(tmpdir(), "weir-test-anthropic-gateway-"));
    return new AnthropicGateway({ program, postgres, bridge, issuer, dir });
  }

  get url(): string {
    return this.#url;
  }

  /** Starts it with these sections besides the ones that it must have. Rejects with `GatewayRefused` and its own words. */
  async run(sections: Readonly<Record<string, unknown>>): Promise<void> {
    await this.end();
    const port = await freePort();
    this.#url = `http://127.0.0.1:${port}`;
    const file = join(this.#dir, "gateway.yaml");
    await writeFile(file, JSON.stringify({ ...this.#base(port), ...sections }));
    const child = spawn(this.#program, ["gateway", "--config", file], {
      cwd: this.#dir,
      env: {
        PATH: "/usr/bin:/bin",
        HOME: this.#dir,
        CLAUDE_GATEWAY_ALLOW_LOOPBACK: "1",
        CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: "1",
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.#child = child;
    let said = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => (said += text));
    }
    const ended = once(child, "exit").then(() => {
      throw new GatewayRefused(said);
    });
    const ready = eventually("Anthropic's gateway to answer", () =>
      fetch(`${this.#url}/healthz`).then(
        (answer) => (answer.ok ? true : null),
        () => null,
      ),
    );
    await within("Anthropic's gateway to start", Promise.race([ready, ended]), START_TIMEOUT_MS);
    // From here on its end is ours.
    ended.catch(() => {});
  }

  /** A bearer token of somebody who signs in by the device flow. */
  async signIn(person: SignedIn): Promise<string> {
    this.#issuer.person = person;
    const device = await form(`${this.#url}/oauth/device_authorization`, { client_id: "claude-code" });
    const { device_code, user_code } = (await device.json()) as { device_code: string; user_code: string }; // RFC 8628, 3.2
    const cookies = new Map<string, string>();
    const page = await browse(`${this.#url}/device?user_code=${user_code}`, cookies);
    const html = await page.text();
    const fields: Record<string, string> = { user_code };
    for (const [, name, value] of html.matchAll(/<input[^>]*name="([^"]+)"[^>]*value="([^"]*)"/g)) {
      if (name !== undefined && value !== undefined) fields[name] = value;
    }
    const submitted = await browse(`${this.#url}/device`, cookies, fields);
    let next = submitted.headers.get("location");
    while (next !== null) {
      const answer: Response = await browse(new URL(next, this.#url).href, cookies);
      next = answer.headers.get("location");
    }
    const token = await form(`${this.#url}/oauth/token`, {
      grant_type: "urn:ietf:params:oauth:grant-type:device_code",
      device_code,
      client_id: "claude-code",
    });
    const body = (await token.json()) as { access_token?: string }; // RFC 6749, 5.1
    if (body.access_token === undefined) throw new Error(`no token: ${JSON.stringify(body)} ${html.slice(0, 2000)}`);
    return body.access_token;
  }

  /** A token as the gateway makes them, without the way through the browser. */
  async token(person: SignedIn, issuer = this.#url): Promise<string> {
    return await new SignJWT({ email: person.email, groups: person.groups })
      .setProtectedHeader({ alg: "HS256", typ: "JWT" })
      .setIssuer(issuer)
      .setAudience("claude-gateway")
      .setSubject(`sub-${person.email}`)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(Buffer.from(this.#jwtSecret));
  }

  async end(): Promise<void> {
    const child = this.#child;
    this.#child = null;
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, "exit");
    child.kill("SIGKILL");
    await ended;
  }

  async dispose(): Promise<void> {
    await this.end();
    await this.#issuer.stop();
    await new Promise((resolve) => this.#bridge.close(resolve));
    await this.#postgres.stop();
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }

  #base(port: number): Readonly<Record<string, unknown>> {
    const { database } = this.#postgres.connection;
    const bridge = portOf(this.#bridge);
    return {
      listen: { host: "127.0.0.1", port, public_url: this.#url },
      oidc: { issuer: this.#issuer.url, client_id: CLIENT_ID, client_secret: "test-secret" },
      session: { jwt_secret: this.#jwtSecret },
      store: { postgres_url: `postgres://${ROLE}:${ROLE}@127.0.0.1:${bridge}/${database}` },
      upstreams: [{ provider: "anthropic", base_url: "http://127.0.0.1:9", auth: { api_key: "sk-ant-test" } }],
    };
  }
}

/** The least that an OpenID provider must do: whoever comes is `person`. */
class TestIssuer {
  person: SignedIn = { email: "nobody@example.com", groups: [] };
  readonly #server: Server;
  readonly #key = generateKeyPairSync("rsa", { modulusLength: 2048 });
  readonly #nonces = new Map<string, string>();

  private constructor(server: Server) {
    this.#server = server;
    server.on("request", (request, response) => void this.#serve(request, response));
  }

  static async start(): Promise<TestIssuer> {
    const server = createHttpServer();
    await listening(server);
    return new TestIssuer(server);
  }

  get url(): string {
    return `http://127.0.0.1:${portOf(this.#server)}`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    if (url.pathname === "/authorize") {
      const code = randomBytes(8).toString("hex");
      this.#nonces.set(code, url.searchParams.get("nonce") ?? "");
      const back = new URL(url.searchParams.get("redirect_uri") ?? "");
      back.searchParams.set("code", code);
      back.searchParams.set("state", url.searchParams.get("state") ?? "");
      response.writeHead(302, { location: back.href }).end();
      return;
    }
    const answer = url.pathname === "/token" ? await this.#token(request) : await this.#document(url.pathname);
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(answer));
  }

  async #document(path: string): Promise<unknown> {
    if (path === "/jwks") {
      const key: JWK = await exportJWK(this.#key.publicKey);
      return { keys: [{ ...key, kid: "1", alg: "RS256", use: "sig" }] };
    }
    return {
      issuer: this.url,
      authorization_endpoint: `${this.url}/authorize`,
      token_endpoint: `${this.url}/token`,
      jwks_uri: `${this.url}/jwks`,
      response_types_supported: ["code"],
      subject_types_supported: ["public"],
      id_token_signing_alg_values_supported: ["RS256"],
    };
  }

  async #token(request: IncomingMessage): Promise<unknown> {
    let text = "";
    for await (const chunk of request) text += String(chunk);
    const nonce = this.#nonces.get(new URLSearchParams(text).get("code") ?? "");
    const { email, groups } = this.person;
    const idToken = await new SignJWT({ email, email_verified: true, groups, nonce })
      .setProtectedHeader({ alg: "RS256", kid: "1" })
      .setIssuer(this.url)
      .setAudience(CLIENT_ID)
      .setSubject(`sub-${email}`)
      .setIssuedAt()
      .setExpirationTime("1h")
      .sign(this.#key.privateKey);
    return { access_token: "at", token_type: "Bearer", expires_in: 3600, refresh_token: "rt", id_token: idToken };
  }
}

/** A role whose password is hashed as often as the gateway's client demands; Weir's own server spares its start that. */
async function createRole(address: PostgresAddress): Promise<void> {
  const client = new Client(address);
  await client.connect();
  try {
    await client.query("set scram_iterations = 4096");
    await client.query(`create role ${ROLE} superuser login password '${ROLE}'`);
  } finally {
    await client.end();
  }
}

/** The server listens on a Unix socket, of which the gateway's URL knows nothing. */
async function bridgeTo(address: PostgresAddress): Promise<TcpServer> {
  const server = createTcpServer((socket) => {
    const target = connect(`${address.host}/.s.PGSQL.${address.port}`);
    socket.pipe(target).pipe(socket);
    socket.on("error", () => target.destroy());
    target.on("error", () => socket.destroy());
  });
  await listening(server);
  return server;
}

async function freePort(): Promise<number> {
  const server = createTcpServer();
  await listening(server);
  const port = portOf(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function listening(server: TcpServer): Promise<void> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
}

function portOf(server: TcpServer): number {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("not listening");
  return (address satisfies AddressInfo).port;
}

async function form(url: string, fields: Readonly<Record<string, string>>): Promise<Response> {
  return await fetch(url, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });
}

/** As a browser does: cookies kept, redirects left to the caller. */
async function browse(
  url: string,
  cookies: Map<string, string>,
  fields?: Readonly<Record<string, string>>,
): Promise<Response> {
  const headers = {
    cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; "),
    origin: new URL(url).origin,
  };
  const post = fields === undefined ? {} : { method: "POST", body: new URLSearchParams(fields) };
  const answer = await fetch(url, { ...post, headers, redirect: "manual" });
  for (const cookie of answer.headers.getSetCookie()) {
    const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie) ?? [];
    if (name !== undefined && value !== undefined) cookies.set(name, value);
  }
  return answer;
}
