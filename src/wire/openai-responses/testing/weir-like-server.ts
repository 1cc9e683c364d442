import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";

import { WeirError } from "../../../core/weir-error.ts";
import type { ClientCall } from "../../codec.ts";
import { isObject, type JsonObject } from "../../openai/json-reader.ts";
import { openaiResponsesClient } from "../client-wire.ts";
import { messagesStream } from "./messages-fixtures.ts";

/** Answers the real SDK as Weir would: decodes its request, has it answered, encodes the answer. */
export class WeirLikeServer {
  readonly #server: Server;
  /** Canonical requests, as they came. */
  readonly requests: JsonObject[] = [];
  /** The Messages answers to give, in their order; a string is the whole body of a stream. */
  readonly answers: (JsonObject | string)[] = [];

  constructor() {
    this.#server = createServer((request, response) => {
      void bodyOf(request).then((body) => {
        const { status, type, bytes } = this.#answer(body);
        response.writeHead(status, { "content-type": type, "x-should-retry": "false" });
        response.end(bytes);
      });
    });
  }

  async start(): Promise<string> {
    await new Promise<void>((resolve) => this.#server.listen(0, "127.0.0.1", resolve));
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    return `http://127.0.0.1:${port}/v1`;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #answer(body: Buffer): { status: number; type: string; bytes: Buffer } {
    let call: ClientCall;
    try {
      call = openaiResponsesClient.decode({
        operation: "messages",
        body,
        pathModel: null,
        pathStream: null,
        maxDepth: 64,
      });
    } catch (error) {
      if (!(error instanceof WeirError)) throw error;
      const encoded = openaiResponsesClient.encodeError(error, "req_test");
      return { status: encoded.status, type: "application/json", bytes: Buffer.from(encoded.body) };
    }
    const canonical: unknown = JSON.parse(call.canonical.toString());
    if (!isObject(canonical)) throw new Error("no object");
    this.requests.push(canonical);
    return this.#encode(call, canonical);
  }

  #encode(call: ClientCall, canonical: JsonObject): { status: number; type: string; bytes: Buffer } {
    const answer = this.answers.shift() ?? "";
    const context = { requestId: "req_test", modelAsked: String(canonical["model"]), createdAtMs: 1_795_000_000_000 };
    if (canonical["stream"] === true) {
      const encoder = call.streamEncoder(context);
      const bytes = encoder.push(typeof answer === "string" ? Buffer.from(answer) : messagesStream(answer));
      return { status: 200, type: encoder.contentType, bytes };
    }
    const bytes = call.encodeAnswer(Buffer.from(JSON.stringify(answer)), context);
    return { status: 200, type: "application/json", bytes };
  }
}

async function bodyOf(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer); // no encoding is set
  return Buffer.concat(chunks);
}
