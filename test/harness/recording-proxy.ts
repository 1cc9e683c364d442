import { createServer, request as httpRequest } from "node:http";
import type { AddressInfo } from "node:net";

/** A request on its way to Weir. */
export interface RecordedRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** The status that Weir answered with. */
  status: number;
}

/** Stands between a client and Weir, passes everything on, and remembers what the client asked. */
export class RecordingProxy {
  readonly requests: RecordedRequest[] = [];
  readonly #target: URL;
  readonly #server = createServer((request, response) => {
    const { method = "GET", url = "/", headers } = request;
    const recorded: RecordedRequest = { method, url, headers, status: 0 };
    this.requests.push(recorded);
    const { hostname, port } = this.#target;
    const onward = httpRequest({ hostname, port, method, path: url, headers: request.headers });
    onward.on("response", (answer) => {
      recorded.status = answer.statusCode ?? 0;
      response.writeHead(recorded.status, answer.rawHeaders);
      // A cut must stay a cut.
      answer.on("error", () => response.destroy());
      answer.pipe(response);
    });
    onward.on("error", () => response.destroy());
    response.on("close", () => onward.destroy());
    request.pipe(onward);
  });

  private constructor(target: URL) {
    this.#target = target;
  }

  static async start(target: string): Promise<RecordingProxy> {
    const proxy = new RecordingProxy(new URL(target));
    await new Promise<void>((resolve) => proxy.#server.listen(0, "127.0.0.1", resolve));
    return proxy;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    return `http://127.0.0.1:${port}`;
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }
}
