import { generateKeyPairSync, sign } from "node:crypto";
import { once } from "node:events";
import { type Server, createServer } from "node:http";

/** An OpenID Connect provider that signs in one made-up user without asking: enough for a gateway that insists on having one. */
export interface StubIdentityProvider {
  readonly issuer: string;
  stop(): Promise<void>;
}

export const STUB_CLIENT = { id: "bench", secret: "bench-secret-0000000000000000" } as const;
const LIFETIME_SECONDS = 12 * 3600;

export async function startStubIdentityProvider(port: number): Promise<StubIdentityProvider> {
  const issuer = `http://127.0.0.1:${port}`;
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  let nonce: string | null = null;

  const idToken = (): string => {
    const iat = Math.floor(Date.now() / 1000);
    const user = { sub: "bench-user", email: "bench@example.com", email_verified: true };
    const claims = { ...user, iss: issuer, aud: STUB_CLIENT.id, nonce, iat, exp: iat + LIFETIME_SECONDS };
    const unsigned = `${encode({ alg: "RS256", kid: "bench", typ: "JWT" })}.${encode(claims)}`;
    return `${unsigned}.${sign("sha256", Buffer.from(unsigned), privateKey).toString("base64url")}`;
  };
  const documents: Readonly<Record<string, () => unknown>> = {
    "/.well-known/openid-configuration": () => discovery(issuer),
    "/jwks": () => ({ keys: [{ ...publicKey.export({ format: "jwk" }), kid: "bench", alg: "RS256", use: "sig" }] }),
    "/token": () => ({
      access_token: "bench",
      token_type: "Bearer",
      expires_in: LIFETIME_SECONDS,
      id_token: idToken(),
      refresh_token: "bench",
    }),
  };
  const server = createServer((request, response) => {
    const url = new URL(request.url ?? "/", issuer);
    const back = url.searchParams.get("redirect_uri");
    if (url.pathname === "/authorize" && back !== null) {
      nonce = url.searchParams.get("nonce");
      const location = `${back}?code=bench&state=${encodeURIComponent(url.searchParams.get("state") ?? "")}`;
      response.writeHead(302, { location }).end();
      return;
    }
    const document = documents[url.pathname];
    response
      .writeHead(document ? 200 : 404, { "content-type": "application/json" })
      .end(JSON.stringify(document?.() ?? {}));
  });
  await listen(server, port);
  return { issuer, stop: () => close(server) };
}

function discovery(issuer: string): unknown {
  return {
    issuer,
    authorization_endpoint: `${issuer}/authorize`,
    token_endpoint: `${issuer}/token`,
    jwks_uri: `${issuer}/jwks`,
    response_types_supported: ["code"],
    subject_types_supported: ["public"],
    id_token_signing_alg_values_supported: ["RS256"],
    scopes_supported: ["openid", "profile", "email", "offline_access"],
    code_challenge_methods_supported: ["S256"],
  };
}

function encode(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString("base64url");
}

async function listen(server: Server, port: number): Promise<void> {
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
}

async function close(server: Server): Promise<void> {
  server.close();
  server.closeAllConnections();
  await once(server, "close");
}
