import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

import type { Component } from "../../../src/core/component.ts";
import type { AwsKeys } from "./aws-auth.ts";
import { newRequestId } from "./request-id.ts";

const LIFETIME_MS = 3_600_000;
const IDENTITY_SECRET = "stand-in-identity-header";
const CONTAINER_TOKEN = "stand-in-container-token";

export interface TokenServerOptions {
  /** Called with every Google or Entra token given out, so that a cloud knows it. */
  readonly onToken?: (token: string, lifetimeMs: number) => void;
  /** Keys given to whoever asks as an ECS task or EKS pod. */
  readonly awsKeys?: AwsKeys;
  /** How long what it gives out is good for, milliseconds. */
  readonly lifetimeMs?: number;
}

/**
 * Where a cloud's workloads get their credentials: Google's metadata server, Azure's managed identity endpoint (App Service
 * form) and AWS's container endpoint. It demands each one's header, and can be told to fail.
 */
export class TokenServer implements Component {
  readonly name = "token-server";
  /** What was asked: `google`, `azure`, `aws`, in order. */
  readonly asked: string[] = [];
  /** Requests that the real endpoint would have refused. */
  readonly problems: string[] = [];
  /** When set, everything is answered with this status. */
  failStatus: number | null = null;
  readonly #options: TokenServerOptions;
  readonly #server = createServer((request, response) => this.#serve(request, response));

  constructor(options: TokenServerOptions = {}) {
    this.#options = options;
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  /** The environment that sends the clouds' own libraries here. */
  get environment(): { readonly google: Environment; readonly azure: Environment; readonly aws: Environment } {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    return {
      google: { GCE_METADATA_HOST: `127.0.0.1:${port}`, METADATA_SERVER_DETECTION: "assume-present" },
      azure: { IDENTITY_ENDPOINT: `http://127.0.0.1:${port}/msi/token`, IDENTITY_HEADER: IDENTITY_SECRET },
      aws: {
        AWS_CONTAINER_CREDENTIALS_FULL_URI: `http://127.0.0.1:${port}/aws/credentials`,
        AWS_CONTAINER_AUTHORIZATION_TOKEN: CONTAINER_TOKEN,
      },
    };
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const { pathname, searchParams } = new URL(request.url ?? "/", "http://127.0.0.1");
    if (this.failStatus !== null) return send(response, this.failStatus, { error: "the test says so" });
    if (pathname.startsWith("/computeMetadata/")) return this.#google(pathname, request, response);
    if (pathname === "/msi/token") return this.#azure(searchParams, request, response);
    if (pathname === "/aws/credentials") return this.#aws(request, response);
    send(response, 404, { error: "not found" });
  }

  #google(path: string, request: IncomingMessage, response: ServerResponse): void {
    if (request.headers["metadata-flavor"] !== "Google")
      return this.#refuse(response, 403, "google: Metadata-Flavor is missing");
    response.setHeader("metadata-flavor", "Google");
    if (path.endsWith("/token")) {
      this.asked.push("google");
      const token = this.#issue("ya29.metadata-");
      return send(response, 200, { access_token: token, expires_in: this.#lifetimeMs / 1000, token_type: "Bearer" });
    }
    if (path.endsWith("/universe-domain") || path.endsWith("/universe_domain"))
      return sendText(response, "googleapis.com");
    if (path.endsWith("/project-id")) return sendText(response, "weir-stand-in");
    if (path.endsWith("/email")) return sendText(response, "weir@weir-stand-in.iam.gserviceaccount.com");
    send(response, 200, {});
  }

  #azure(query: URLSearchParams, request: IncomingMessage, response: ServerResponse): void {
    if (request.headers["x-identity-header"] !== IDENTITY_SECRET)
      return this.#refuse(response, 401, "azure: wrong X-IDENTITY-HEADER");
    const resource = query.get("resource");
    if (resource === null) return this.#refuse(response, 400, "azure: no resource was named");
    this.asked.push("azure");
    const expiresOn = Math.floor((Date.now() + this.#lifetimeMs) / 1000);
    send(response, 200, {
      access_token: this.#issue("eyJ.entra."),
      expires_on: String(expiresOn),
      resource,
      token_type: "Bearer",
    });
  }

  #aws(request: IncomingMessage, response: ServerResponse): void {
    if (request.headers.authorization !== CONTAINER_TOKEN)
      return this.#refuse(response, 401, "aws: wrong authorization token");
    const keys = this.#options.awsKeys;
    if (keys === undefined) return send(response, 404, { message: "no role" });
    this.asked.push("aws");
    send(response, 200, {
      AccessKeyId: keys.accessKeyId,
      SecretAccessKey: keys.secretAccessKey,
      Token: keys.sessionToken ?? "",
      Expiration: new Date(Date.now() + this.#lifetimeMs).toISOString(),
    });
  }

  #issue(prefix: string): string {
    const token = newRequestId(prefix);
    this.#options.onToken?.(token, this.#lifetimeMs);
    return token;
  }

  #refuse(response: ServerResponse, status: number, problem: string): void {
    this.problems.push(problem);
    send(response, status, { error: problem });
  }

  get #lifetimeMs(): number {
    return this.#options.lifetimeMs ?? LIFETIME_MS;
  }
}

type Environment = Readonly<Record<string, string>>;

function send(response: ServerResponse, status: number, value: unknown): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(value));
}

function sendText(response: ServerResponse, text: string): void {
  response.writeHead(200, { "content-type": "text/plain" }).end(text);
}
