import { createServer, type IncomingMessage, type RequestListener, type Server } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";

/** A request that a fake endpoint received. */
export interface EndpointRequest {
  readonly method: string;
  /** Path and query as they came. */
  readonly path: string;
  readonly headers: IncomingMessage["headers"];
  /** Names and values as they came. */
  readonly rawHeaders: readonly string[];
  readonly body: string;
}

export interface EndpointAnswer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

export type Answerer = (request: EndpointRequest) => EndpointAnswer;

/** A local server of a cloud's token endpoint that can be made to fail. */
export class FakeEndpoint {
  readonly requests: EndpointRequest[] = [];
  /** While set, every request is answered 503 with this text. */
  outage: string | null = null;
  readonly #server: Server;
  #port = 0;
  readonly #scheme: string;

  private constructor(answerer: Answerer, tls: { key: string; cert: string } | null) {
    const listener: RequestListener = (message, response) => {
      const chunks: Buffer[] = [];
      message.on("data", (chunk: Buffer) => chunks.push(chunk));
      message.on("end", () => {
        const request: EndpointRequest = {
          method: message.method ?? "",
          path: message.url ?? "",
          headers: message.headers,
          rawHeaders: message.rawHeaders,
          body: Buffer.concat(chunks).toString("utf8"),
        };
        this.requests.push(request);
        const answer = this.outage === null ? answerer(request) : { status: 503, body: this.outage };
        response.writeHead(answer.status, { "content-type": "application/json", ...answer.headers });
        response.end(answer.body);
      });
    };
    this.#scheme = tls === null ? "http" : "https";
    this.#server = tls === null ? createServer(listener) : createTlsServer(tls, listener);
  }

  static async start(answerer: Answerer, tls: { key: string; cert: string } | null = null): Promise<FakeEndpoint> {
    const endpoint = new FakeEndpoint(answerer, tls);
    const { promise, resolve } = Promise.withResolvers<void>();
    endpoint.#server.listen(0, "127.0.0.1", resolve);
    await promise;
    // A TCP server's address is this object.
    endpoint.#port = (endpoint.#server.address() as AddressInfo).port;
    return endpoint;
  }

  get url(): string {
    return `${this.#scheme}://127.0.0.1:${this.#port}`;
  }

  get host(): string {
    return `127.0.0.1:${this.#port}`;
  }

  async stop(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    this.#server.closeAllConnections();
    await promise;
  }
}

/** A JSON answer. */
export function json(status: number, value: unknown): EndpointAnswer {
  return { status, body: JSON.stringify(value) };
}
