import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** A request as the upstream saw it. */
export interface SeenRequest {
  readonly method: string;
  /** Path with query. */
  readonly url: string;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

/** Answers a request in place of the fake; false leaves it to the fake. The body has not been read yet. */
export type Override = (request: IncomingMessage, response: ServerResponse) => boolean;

interface FakeBatch {
  readonly document: Record<string, unknown>;
  results: string;
}

const CREATED_AT = "2026-11-20T10:00:00Z";
const ENDED_AT = "2026-11-20T10:30:00Z";

/** For tests: an upstream that keeps batches and files in memory, ends a batch when the test says so, and can be made to fail. */
export class FakeObjectUpstream {
  readonly requests: SeenRequest[] = [];
  readonly batches = new Map<string, FakeBatch>();
  readonly files = new Map<string, Record<string, unknown>>();
  override: Override | null = null;
  /** Most requests that were under way at the same time. */
  mostAtOnce = 0;
  #atOnce = 0;
  #made = 0;
  readonly #server = createServer((request, response) => void this.#serve(request, response));

  static async start(): Promise<FakeObjectUpstream> {
    const upstream = new FakeObjectUpstream();
    await new Promise<void>((resolve) => upstream.#server.listen(0, "127.0.0.1", resolve));
    return upstream;
  }

  get url(): string {
    const { port } = this.#server.address() as AddressInfo; // it listens on TCP
    return `http://127.0.0.1:${port}`;
  }

  /** Ends a batch with these results, one object a line. */
  end(id: string, results: readonly object[]): void {
    const batch = this.batches.get(id);
    if (batch === undefined) throw new Error(`no batch ${id}`);
    batch.results = results.map((result) => `${JSON.stringify(result)}\n`).join("");
    const succeeded = results.filter((result) => JSON.stringify(result).includes('"type":"succeeded"')).length;
    Object.assign(batch.document, {
      processing_status: "ended",
      ended_at: ENDED_AT,
      results_url: `${this.url}/v1/messages/batches/${id}/results`,
      request_counts: { processing: 0, succeeded, errored: results.length - succeeded, canceled: 0, expired: 0 },
    });
  }

  /** Requests whose method and path (without a query) are these. */
  seen(method: string, path: string): readonly SeenRequest[] {
    return this.requests.filter((request) => request.method === method && request.url.split("?")[0] === path);
  }

  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    this.mostAtOnce = Math.max(this.mostAtOnce, ++this.#atOnce);
    response.once("close", () => this.#atOnce--);
    if (this.override?.(request, response) === true) return;
    const chunks: Buffer[] = [];
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk); // no encoding is set
    } catch {
      return; // The gateway left while it was sending.
    }
    const { method = "", url = "", headers } = request;
    this.requests.push({ method, url, headers, body: Buffer.concat(chunks) });
    const [, , ...path] = (url.split("?")[0] ?? "").split("/");
    const answer = path[0] === "files" ? this.#file(method, path.slice(1)) : this.#batch(method, path.slice(2));
    response.setHeader("request-id", "req_upstream");
    response.setHeader("anthropic-ratelimit-requests-remaining", "7");
    if (typeof answer === "string") response.setHeader("content-type", "application/x-jsonl").end(answer);
    else if (answer !== null) response.setHeader("content-type", "application/json").end(JSON.stringify(answer));
    else {
      response.writeHead(404, { "content-type": "application/json" });
      response.end('{"type":"error","error":{"type":"not_found_error","message":"no such thing upstream"}}');
    }
  }

  #batch(method: string, [id, below]: readonly string[]): object | string | null {
    if (id === undefined) {
      const made = `msgbatch_${++this.#made}`;
      const document = {
        id: made,
        type: "message_batch",
        processing_status: "in_progress",
        request_counts: { processing: 1, succeeded: 0, errored: 0, canceled: 0, expired: 0 },
        created_at: CREATED_AT,
        ended_at: null,
        results_url: null,
      };
      this.batches.set(made, { document, results: "" });
      return document;
    }
    const batch = this.batches.get(id);
    if (batch === undefined) return null;
    if (below === "results") return batch.document["results_url"] === null ? null : batch.results;
    if (below === "cancel") return Object.assign(batch.document, { processing_status: "canceling" });
    if (method === "GET") return batch.document;
    this.batches.delete(id);
    return { id, type: "message_batch_deleted" };
  }

  #file(method: string, [id, below]: readonly string[]): object | string | null {
    if (id === undefined) {
      const document = { id: `file_${++this.#made}`, type: "file", filename: "notes.txt", size_bytes: 4 };
      this.files.set(document.id, document);
      return document;
    }
    const file = this.files.get(id);
    if (file === undefined) return null;
    if (below === "content") return "text";
    if (method === "GET") return file;
    this.files.delete(id);
    return { id, type: "file_deleted" };
  }
}

/** One line of results: a request that `model` answered. */
export function answered(customId: string, model: string, usage: Record<string, unknown>): object {
  const message = { type: "message", model, usage: { ...usage, service_tier: "batch" } };
  return { custom_id: customId, result: { type: "succeeded", message } };
}
