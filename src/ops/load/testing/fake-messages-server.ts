import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo, Socket } from "node:net";

/** How the server treats one request. */
export type Behaviour =
  /** A whole answer, streamed when asked for. Delays in milliseconds. */
  | { readonly kind: "answer"; readonly firstMs?: number; readonly deltas?: number; readonly gapMs?: number }
  | { readonly kind: "status"; readonly status: number; readonly type: string; readonly message?: string }
  /** The connection is reset before anything is answered. */
  | { readonly kind: "reset" }
  /** The stream ends after so many deltas: properly on the HTTP level, or by a broken connection. */
  | { readonly kind: "cut"; readonly afterDeltas: number; readonly broken: boolean }
  | { readonly kind: "error_event"; readonly type: string; readonly message: string }
  | { readonly kind: "silence" }
  | { readonly kind: "text"; readonly text: string };

/** A request as it arrived. */
export interface Arrived {
  readonly number: number;
  readonly atMs: number;
  readonly headers: IncomingMessage["headers"];
  readonly path: string;
  readonly bytes: number;
  /** The parsed body; tests know its shape. */
  readonly body: {
    readonly stream: boolean;
    readonly max_tokens: number;
    readonly metadata: { readonly user_id: string };
    readonly messages: readonly unknown[];
  };
  readonly text: string;
}

/** A Messages endpoint on loopback whose every answer a test decides. */
export class FakeMessagesServer {
  readonly arrived: Arrived[] = [];
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #timers = new Set<NodeJS.Timeout>();
  #connections = 0;

  private constructor(behave: (request: Arrived) => Behaviour) {
    this.#server = createServer((request, response) => {
      const chunks: Buffer[] = [];
      request.on("data", (chunk: Buffer) => chunks.push(chunk));
      request.on("end", () => {
        const text = Buffer.concat(chunks).toString();
        const arrived: Arrived = {
          number: this.arrived.length,
          atMs: performance.now(),
          headers: request.headers,
          path: request.url ?? "",
          bytes: Buffer.byteLength(text),
          body: JSON.parse(text) as Arrived["body"],
          text,
        };
        this.arrived.push(arrived);
        this.#answer(behave(arrived), arrived, response);
      });
    });
    this.#server.on("connection", (socket) => {
      this.#connections += 1;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  static async start(
    behave: (request: Arrived) => Behaviour = () => ({ kind: "answer" }),
  ): Promise<FakeMessagesServer> {
    const fake = new FakeMessagesServer(behave);
    await new Promise<void>((resolve) => {
      fake.#server.listen(0, "127.0.0.1", resolve);
    });
    return fake;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // It listens on a port, not on a path.
    return `http://127.0.0.1:${port}`;
  }

  /** How many connections were opened in all. */
  get connections(): number {
    return this.#connections;
  }

  async stop(): Promise<void> {
    for (const timer of this.#timers) clearTimeout(timer);
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => {
      this.#server.close(resolve);
    });
  }

  #answer(behaviour: Behaviour, request: Arrived, response: ServerResponse): void {
    switch (behaviour.kind) {
      case "answer":
        return this.#after(behaviour.firstMs ?? 0, () => {
          if (request.body.stream)
            this.#stream(response, behaviour.deltas ?? 3, { gapMs: behaviour.gapMs ?? 0, end: "whole" });
          else
            json(response, 200, {
              type: "message",
              role: "assistant",
              content: [],
              usage: { input_tokens: 10, output_tokens: 5 },
            });
        });
      case "status":
        return json(response, behaviour.status, {
          type: "error",
          error: { type: behaviour.type, message: behaviour.message ?? "no" },
        });
      case "reset":
        response.socket?.resetAndDestroy();
        return;
      case "cut":
        return this.#stream(response, behaviour.afterDeltas, { gapMs: 0, end: behaviour.broken ? "broken" : "cut" });
      case "error_event":
        head(response);
        response.write(event("message_start", start()));
        response.end(event("error", { type: "error", error: { type: behaviour.type, message: behaviour.message } }));
        return;
      case "silence":
        return;
      case "text":
        response.writeHead(200, { "content-type": "text/html" }).end(behaviour.text);
    }
  }

  #stream(response: ServerResponse, deltas: number, how: { gapMs: number; end: "whole" | "cut" | "broken" }): void {
    head(response);
    response.write(event("message_start", start()) + event("ping", { type: "ping" }));
    const next = (left: number): void => {
      if (left === 0) return finish(response, deltas, how.end);
      response.write(
        event("content_block_delta", {
          type: "content_block_delta",
          index: 0,
          delta: { type: "text_delta", text: "word " },
        }),
      );
      this.#after(how.gapMs, () => next(left - 1));
    };
    next(deltas);
  }

  #after(ms: number, then: () => void): void {
    if (ms === 0) return then();
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }
}

function finish(response: ServerResponse, deltas: number, end: "whole" | "cut" | "broken"): void {
  if (end === "broken") {
    // Only once it was sent: a reset would throw away what the client has not read yet.
    response.write("", () => setImmediate(() => response.socket?.destroy()));
    return;
  }
  if (end === "whole") {
    response.write(
      event("message_delta", {
        type: "message_delta",
        delta: { stop_reason: "end_turn" },
        usage: { output_tokens: deltas },
      }),
    );
    response.write(event("message_stop", { type: "message_stop" }));
  }
  response.end();
}

function head(response: ServerResponse): void {
  response.writeHead(200, { "content-type": "text/event-stream; charset=utf-8" });
}

function json(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { "content-type": "application/json" }).end(JSON.stringify(body));
}

function event(name: string, data: object): string {
  return `event: ${name}\ndata: ${JSON.stringify(data)}\n\n`;
}

function start(): object {
  const usage = { input_tokens: 10, cache_read_input_tokens: 100, cache_creation_input_tokens: 7, output_tokens: 1 };
  return { type: "message_start", message: { type: "message", usage } };
}
