import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";

type Answer = { readonly status: number; readonly body: unknown };

/** A server on 127.0.0.1 that answers as told by path, and remembers what it was asked. */
export class FakeWeir implements AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly asked: IncomingMessage[] = [];
  /** Answers by path without query. A string is sent as it is. */
  readonly answers: Record<string, Answer> = {
    "/readyz": { status: 200, body: { status: "ready", failures: [] } },
    "/v1/models": { status: 200, body: { data: [] } },
  };
  readonly #server: Server;

  private constructor(server: Server, port: number) {
    this.#server = server;
    this.port = port;
    this.url = `http://127.0.0.1:${port}`;
    server.on("request", (request: IncomingMessage, response: ServerResponse) => this.#answer(request, response));
  }

  static async start(): Promise<FakeWeir> {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = server.address();
    if (address === null || typeof address === "string") throw new Error("the server has no port");
    return new FakeWeir(server, address.port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(request: IncomingMessage, response: ServerResponse): void {
    this.asked.push(request);
    const { status, body } = this.answers[(request.url ?? "").split("?")[0] ?? ""] ?? { status: 404, body: "not here" };
    const text = typeof body === "string" ? body : JSON.stringify(body);
    response.writeHead(status, status >= 300 && status < 400 ? { location: "/elsewhere" } : {}).end(text);
  }
}
