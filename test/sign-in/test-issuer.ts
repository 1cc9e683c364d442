import { once } from "node:events";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { text } from "node:stream/consumers";

import { type Configuration, Provider } from "oidc-provider";

/** A person whom the test's identity provider knows. */
export interface TestPerson {
  readonly sub: string;
  readonly email?: string;
  readonly email_verified?: boolean;
  readonly name?: string;
  readonly groups?: readonly string[];
  readonly realm?: { readonly roles: readonly string[] };
}

export const CLIENT_ID = "weir-client";
export const CLIENT_SECRET = "a-client-secret-for-tests-only";

/** A real OpenID provider (oidc-provider) on a free port of this machine, with a plain sign-in form. */
export class TestIssuer {
  readonly url: string;
  readonly #server: Server;
  readonly #people = new Map<string, TestPerson>();
  readonly #provider: Provider;
  /** Asked for every token request; true answers it with 503. */
  isDown = false;
  tokenRequests = 0;

  private constructor(url: string, server: Server, redirectUris: readonly string[]) {
    this.url = url;
    this.#server = server;
    this.#provider = new Provider(url, this.#configuration(redirectUris));
    // What it warns of (keys and cookies of its own making) is what a test wants.
    this.#provider.on("server_error", (_, error) =>
      process.stderr.write(`test issuer: ${error.stack ?? error.message}\n`),
    );
    const callback = this.#provider.callback();
    server.on("request", (request, response) => void this.#serve(request, response, callback));
  }

  /** Starts one for clients that come back to `redirectUris`. */
  static async start(redirectUris: readonly string[]): Promise<TestIssuer> {
    const server = createServer();
    server.listen(0, "127.0.0.1");
    await once(server, "listening");
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the issuer is not listening");
    return new TestIssuer(`http://127.0.0.1:${address.port}`, server, redirectUris);
  }

  /** Adds a person, or changes what is known of them. They sign in with their `sub`. */
  know(person: TestPerson): void {
    this.#people.set(person.sub, person);
  }

  /** The person has left: nothing of theirs is renewed. */
  forget(sub: string): void {
    this.#people.delete(sub);
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }

  async #serve(
    request: IncomingMessage,
    response: ServerResponse,
    provider: (request: IncomingMessage, response: ServerResponse) => Promise<void>,
  ): Promise<void> {
    const path = request.url ?? "/";
    if (path.startsWith("/token")) this.tokenRequests++;
    if (this.isDown) {
      response.writeHead(503).end();
    } else if (!path.startsWith("/sign-in/")) {
      await provider(request, response);
    } else if (request.method === "POST") {
      await this.#signIn(request, response);
    } else {
      const page = `<!doctype html><title>Test issuer</title><form method="post"><input name="login" autofocus><button>Sign in</button></form>`;
      response.writeHead(200, { "content-type": "text/html" }).end(page);
    }
  }

  async #signIn(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const accountId = new URLSearchParams(await text(request)).get("login") ?? "";
    const { params } = await this.#provider.interactionDetails(request, response);
    const grant = new this.#provider.Grant({ accountId, clientId: CLIENT_ID });
    grant.addOIDCScope(typeof params["scope"] === "string" ? params["scope"] : "openid");
    const result = this.#people.has(accountId)
      ? { login: { accountId }, consent: { grantId: await grant.save() } }
      : { error: "access_denied", error_description: "nobody of this name" };
    await this.#provider.interactionFinished(request, response, result);
  }

  #configuration(redirectUris: readonly string[]): Configuration {
    return {
      clients: [
        {
          client_id: CLIENT_ID,
          client_secret: CLIENT_SECRET,
          redirect_uris: [...redirectUris],
          grant_types: ["authorization_code", "refresh_token"],
          response_types: ["code"],
        },
      ],
      claims: { openid: ["sub", "realm"], email: ["email", "email_verified"], profile: ["name"], groups: ["groups"] },
      scopes: ["openid", "email", "profile", "groups", "offline_access"],
      conformIdTokenClaims: false,
      cookies: { keys: ["a key for the cookies of tests"] },
      features: { devInteractions: { enabled: false } },
      pkce: { required: () => true },
      rotateRefreshToken: true,
      // As providers are configured for gateways: without asking the person for it.
      issueRefreshToken: async (_, client, code) =>
        client.grantTypeAllowed("refresh_token") && code.scopes.has("offline_access"),
      interactions: { url: (_, interaction) => `/sign-in/${interaction.uid}` },
      findAccount: async (_, sub) => {
        const person = this.#people.get(sub);
        return person === undefined ? undefined : { accountId: sub, claims: async () => ({ ...person }) };
      },
    };
  }
}
